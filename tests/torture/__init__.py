"""
The crash campaign: the product under load while everything it stands on is killed under it.

`notifications` is what is sent and `ledger` what became of it, as far as a sender knows;
`machine` is what it runs on, `faults` what is done to that; `checks` holds the ledger against the
database, by SQL of its own; `campaign` is the rounds of it all. `make torture` runs it.
"""
