-- Holidays, as a holiday library and the settings name them, on which the city's calendar is open. The city decides;
-- this only asks.
select
    holidays.date,
    format(
        '{} is {} and your {} {} open: intended?',
        strftime(holidays.date, '%-d %B %Y'),
        holidays.name,
        string_agg(calendar.service_point, ', ' order by calendar.service_point),
        if(count(*) = 1, 'is', 'are')
    ) as sentence
from input.holidays as holidays
inner join core.calendar as calendar
    on
        calendar.date = holidays.date
        and calendar.is_open
group by holidays.date, holidays.name
