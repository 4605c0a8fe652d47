"""Tables, moves, jobs, ledger, archive: the only place with SQL.

Functions over an open connection; the caller owns the transaction (``database.transaction()``).
"""
