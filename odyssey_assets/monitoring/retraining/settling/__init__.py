"""What came of the runs that were asked for, entered in the ledger."""
