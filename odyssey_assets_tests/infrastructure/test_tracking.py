import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from odyssey_assets.errors import TrainingError
from odyssey_assets.infrastructure.tracking import EXPERIMENT, Tracker


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def tracker(folder: Path) -> Tracker:
    return Tracker(folder)


def test_run_holds_tags_parameters_and_one_metric_step_a_fold(
    tracker: Tracker, folder: Path
) -> None:
    run_id = tracker.start_run("AAPL", {"source": "files"})
    folds = [
        (f"model{kind}.rmse", kind + step / 100, step) for kind in range(60) for step in range(40)
    ]
    tracker.finish_run(
        run_id, {f"p{number}": number for number in range(120)}, folds, is_complete=True
    )
    client = MlflowClient(tracking_uri=tracker.uri)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "AAPL"
    assert run.data.tags["source"] == "files"
    assert run.data.params == {f"p{number}": str(number) for number in range(120)}
    assert len(run.data.metrics) == 60
    history = client.get_metric_history(run_id, "model7.rmse")
    assert [(one.step, one.value) for one in history] == [(at, 7 + at / 100) for at in range(40)]
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    assert experiment.artifact_location == (folder / "artifacts").as_uri()
    assert (folder / "mlflow.db").exists()


def test_incomplete_run_is_closed_as_failed(tracker: Tracker) -> None:
    run_id = tracker.start_run("AAPL", {})
    tracker.finish_run(run_id, {}, [("rmse", 0.5, 1)], is_complete=False)
    assert MlflowClient(tracking_uri=tracker.uri).get_run(run_id).info.status == "FAILED"


def test_second_tracker_of_a_home_uses_the_same_experiment(tracker: Tracker, folder: Path) -> None:
    ids = {
        MlflowClient(tracking_uri=tracker.uri).get_run(one.start_run("X", {})).info.experiment_id
        for one in (tracker, Tracker(folder))
    }
    assert len(ids) == 1


def test_run_without_figures_is_closed(tracker: Tracker) -> None:
    run_id = tracker.start_run("EMPTY", {})
    tracker.finish_run(run_id, {}, [], is_complete=True)
    run = MlflowClient(tracking_uri=tracker.uri).get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {}


def test_damaged_database_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("this is no database, but a text of some length" * 100)
    with pytest.raises(TrainingError, match=r"MLflow cannot use .*mlflow.db.*move it away"):
        Tracker(tmp_path).start_run("AAPL", {})


def test_idle_tracker_imports_nothing_and_writes_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from odyssey_assets.infrastructure.tracking import Tracker\n"
        f"Tracker(Path({str(tmp_path)!r}) / 'mlflow')\n"
        "print('mlflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert list(tmp_path.iterdir()) == []
