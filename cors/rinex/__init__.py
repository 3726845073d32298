"""RINEX 2, 3 and 4: observation and navigation files, read as they are in the wild and written as validators want.

    observation.reading   `read_observations`: rows to compute with, and all that is needed to write the file back
    observation.writing   `ObservationWriter` (epochs as they come), `Rewriter` (what was read, in another version)
    navigation.reading    `read_navigation`: records as printed, ephemerides of `cors.gnss`
    navigation.writing    `NavigationWriter`, `write_navigation`, `rewrite_navigation`
    inspection            everything as plain records, or a summary
    names, sp3, transport file names; precise orbits; compression by content

A reader returns what it noticed as diagnostics with the data; it raises only for what is no RINEX (`errors`).
"""
