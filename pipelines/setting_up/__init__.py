"""`kcc init`: from one export of each kind, options and answers to a settings file for a city.

What a file looks like stands in `stamps`, `sniffing`, `proposing` and `trying`; what is asked in `asking`, `drafts`,
`source_draft`, `mapping` and `city`; what is written in `settings_file`. Does not belong here: how exports are read.
"""
