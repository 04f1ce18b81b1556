"""The indicator sheet: what a city publishes about its contact centre, in Dutch, from the published warehouse.

`figures` asks the warehouse, `tables` says which figure stands where, `charts` draws, `sheet` writes the page and
`workbook` the workbook; `dutch` writes numbers and dates, `words` holds the sentences; `making` puts the files where
they belong, `nightly` does so after every night. Does not belong here: any rule of the domain, and any arithmetic on
figures: both are SQL's.
"""
