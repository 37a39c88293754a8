from odyssey_assets_tests.tiny_market import WINDOWS, TinyHome, invoke


def test_drift_of_an_unknown_ticker_is_refused_with_those_there_are(tiny_home: TinyHome) -> None:
    done = invoke(tiny_home.root, "drift", "NOPE")
    assert done.exit_code == 1
    assert "AAPL, SPY" in done.stderr


def test_drift_of_a_window_without_a_model_says_why(tiny_home: TinyHome) -> None:
    done = invoke(tiny_home.root, "drift", "AAPL", WINDOWS[0])
    assert done.exit_code == 1
    assert f"AAPL has no drift report for the window {WINDOWS[0]}" in done.stderr


def test_drift_of_a_day_that_opens_no_window_is_refused(tiny_home: TinyHome) -> None:
    done = invoke(tiny_home.root, "drift", "AAPL", "2022-02-01")
    assert done.exit_code == 1
    assert "1 January or 1 July" in done.stderr
