import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import closing

import psutil
import pytest

from odyssey_assets.core.parallel import MIN_TASKS_A_WORKER, available_cores, run_tasks
from odyssey_assets.errors import TrainingError

MANY = list(range(2 * MIN_TASKS_A_WORKER))


def scaled(factor: int, task: int) -> int:
    return factor * task


def process_id(_shared: None, _task: int) -> int:
    return os.getpid()


def refuse(_shared: None, task: int) -> int:
    if task == 3:
        raise ValueError("task 3 cannot be done")
    return task


def die(_shared: None, task: int) -> int:
    if task == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


@pytest.mark.parametrize("workers", [1, 2])
def test_results_carry_the_position_of_their_task(workers: int) -> None:
    found = dict(run_tasks(scaled, 10, MANY, workers))
    assert found == {position: 10 * task for position, task in enumerate(MANY)}


def test_many_tasks_run_in_other_processes_and_few_in_this_one() -> None:
    assert os.getpid() not in {result for _, result in run_tasks(process_id, None, MANY, 2)}
    few = MANY[: MIN_TASKS_A_WORKER + 1]
    assert {result for _, result in run_tasks(process_id, None, few, None)} == {os.getpid()}


def test_no_tasks_give_no_results() -> None:
    assert list(run_tasks(scaled, 10, [], None)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_error_of_a_task_reaches_the_caller(workers: int) -> None:
    with pytest.raises(ValueError, match="task 3 cannot be done"):
        list(run_tasks(refuse, None, MANY, workers))


def test_death_of_a_process_is_a_clear_error() -> None:
    with pytest.raises(TrainingError, match=r"died with \d+ of 16 fits to go.*ODYSSEY_WORKERS"):
        list(run_tasks(die, None, MANY, 2))


def test_stopping_early_ends_the_processes() -> None:
    before = set(psutil.Process().children(recursive=True))
    with closing(run_tasks(process_id, None, MANY, 2)) as results:
        next(results)
    after = set(psutil.Process().children(recursive=True)) - before
    workers = [child for child in after if "spawn_main" in " ".join(child.cmdline())]
    assert workers == []


def test_available_cores_is_at_least_one() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)


def interrupt_then_end(ended: list[int], task: int) -> int:
    signal.raise_signal(signal.SIGINT)
    ended.append(task)
    return task


def test_interrupt_during_a_task_in_this_process_is_answered_after_it() -> None:
    ended: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        list(run_tasks(interrupt_then_end, ended, [7, 8], 1))
    assert ended == [7]
    assert signal.getsignal(signal.SIGINT) is before


def test_interrupt_during_a_resumable_task_in_this_process_is_answered_at_once() -> None:
    ended: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        list(run_tasks(interrupt_then_end, ended, [7, 8], 1, is_resumable=True))
    assert ended == []


def doze(_shared: None, task: int) -> int:
    time.sleep(60 if task else 0)
    return task


def doze_or_refuse(shared: None, task: int) -> int:
    if task == 0:
        raise ValueError("task 0 cannot be done")
    return doze(shared, task)


def test_resumable_tasks_are_cut_short_when_the_caller_stops() -> None:
    before = set(psutil.Process().children(recursive=True))
    with closing(run_tasks(doze, None, [0, 1, 2], 2, 1, is_resumable=True)) as results:
        assert next(results) == (0, 0)
        workers = set(psutil.Process().children(recursive=True)) - before
    gone, alive = psutil.wait_procs(workers, timeout=0)
    dozing = [one for one in alive if "spawn_main" in " ".join(one.cmdline())]
    assert len(gone) >= 1
    assert dozing == []


def test_resumable_tasks_are_cut_short_when_another_one_fails() -> None:
    with pytest.raises(ValueError, match="task 0 cannot be done"):
        list(run_tasks(doze_or_refuse, None, [0, 1], 2, 1, is_resumable=True))


def test_caller_is_served_while_it_waits_for_other_processes() -> None:
    calls: list[int] = []
    list(run_tasks(process_id, None, [1, 2], 2, 1, while_waiting=lambda: calls.append(1)))
    assert calls


def test_task_in_another_thread_runs_without_touching_signals() -> None:
    results: list[tuple[int, int]] = []
    thread = threading.Thread(target=lambda: results.extend(run_tasks(scaled, 3, [2], 1)))
    thread.start()
    thread.join(timeout=20)
    assert results == [(0, 6)]


SLEEPER = textwrap.dedent(
    """
    import os, sys, time
    from odyssey_assets.core.parallel import run_tasks
    def sleep(shared, task):
        os.write(1, f"{os.getpid()}\\n".encode())  # at once: two processes share the line
        time.sleep(0.2 if shared == "short" else 60)
        return task
    if __name__ == "__main__":
        keeps = sys.argv[1] == "resumable"
        for _ in run_tasks(sleep, sys.argv[1], list(range(400)), 2, is_resumable=keeps):
            pass
    """
)


@pytest.mark.parametrize(
    ("end", "naps"),
    [(signal.SIGINT, "short"), (signal.SIGINT, "resumable"), (signal.SIGKILL, "long")],
    ids=["ctrl_c", "ctrl_c_of_resumable_tasks", "kill"],
)
def test_interrupted_parent_leaves_no_orphans(
    tmp_path_factory: pytest.TempPathFactory, end: signal.Signals, naps: str
) -> None:
    script = tmp_path_factory.mktemp("sleeper") / "sleeper.py"
    script.write_text(SLEEPER)
    parent = subprocess.Popen(
        [sys.executable, str(script), naps], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert parent.stdout is not None
    workers = {int(parent.stdout.readline()) for _ in range(2)}
    parent.send_signal(end)
    parent.wait(timeout=20)
    assert parent.returncode != 0
    deadline = time.monotonic() + 10
    while any(psutil.pid_exists(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [worker for worker in workers if psutil.pid_exists(worker)] == []
