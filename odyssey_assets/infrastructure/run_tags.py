"""The tags by which runs are told apart: who asked for them, why, and as part of what."""

NIGHTLY_TAG = "odyssey/nightly"  # The session whose close the run follows.
REINGEST_TAG = "odyssey/reingest"  # Run key of the request to fetch market data again.
BARS_BEFORE_TAG = "odyssey/bars_before"  # Content hash of the bars by ticker, before that.
BATCH_TAG = "odyssey/batch"  # Run key of the request to retrain.
CAUSE_TAG = "odyssey/cause"  # Why models are made.
SCHEDULE_TAG = "odyssey/schedule"  # The tick of a schedule that asked for the run.
PASSED_ON_TAGS = (NIGHTLY_TAG, REINGEST_TAG)
