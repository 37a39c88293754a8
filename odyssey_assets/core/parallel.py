"""Spreads tasks over processes, one thread each, without orphans and with the same results.

Knows nothing of what is fitted: a function, data that every call shares, and tasks. The shared data
travels to each process once, not with every task.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for_futures
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from odyssey_assets.errors import TrainingError

Task = TypeVar("Task")
Shared = TypeVar("Shared")
Result = TypeVar("Result")

# Starting a process costs about as much as this many fits.
MIN_TASKS_A_WORKER = 8
WAITING_S = 0.05

_worker_state: dict[str, Any] = {}


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_tasks(
    work: Callable[[Shared, Task], Result],
    shared: Shared,
    tasks: Sequence[Task],
    workers: int | None,
    min_tasks_a_worker: int = MIN_TASKS_A_WORKER,
    *,
    is_resumable: bool = False,
    while_waiting: Callable[[], None] = lambda: None,
) -> Generator[tuple[int, Result], None, None]:
    """Yield (position of the task, result) as results come; begin with the first task.

    Put the longest task first. Few tasks, or one worker, run in this process. When the caller
    stops early or is interrupted, tasks not yet begun are dropped, those that run come to their
    end, and the processes end; they also end by themselves when this process dies.

    Args:
        work: Called as work(shared, task); importable by name, so that processes find it.
        shared: Given to every call; pickled once a process.
        tasks: What to do; each can be pickled.
        workers: Processes at most; None for one a core.
        min_tasks_a_worker: Tasks that are worth a process of their own; 1 where each takes long.
        is_resumable: Tasks keep their progress themselves, so those that run are cut short too
            when the caller stops, is interrupted, or another task fails.
        while_waiting: Called here again and again while tasks run in other processes.

    Raises:
        TrainingError: A process died.
    """
    count = min(workers or available_cores(), max(len(tasks) // min_tasks_a_worker, 1))
    if count == 1:
        with threadpool_limits(limits=1):
            for position, task in enumerate(tasks):
                with nullcontext() if is_resumable else interrupts_deferred():
                    result = work(shared, task)
                yield position, result
        return
    context = multiprocessing.get_context("spawn")
    ending, end = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(count, context, _prepare_worker, (work, shared, ending))
    positions: dict[Future[Result], int] = {}
    try:
        positions |= {executor.submit(_run_one, task): at for at, task in enumerate(tasks)}
        while positions:
            done, _ = wait_for_futures(positions, WAITING_S, FIRST_COMPLETED)
            while_waiting()
            for future in done:
                yield positions.pop(future), future.result()
    except BrokenProcessPool as error:
        raise TrainingError(
            f"A process that fits models died with {len(positions)} of {len(tasks)} fits to go, "
            "most likely killed for want of memory. Models fitted before are kept: run again, "
            f"with fewer processes than {count} (ODYSSEY_WORKERS) if it happens again."
        ) from error
    finally:
        if is_resumable and positions:
            end.close()
        executor.shutdown(wait=True, cancel_futures=True)
        end.close()
        ending.close()


@contextmanager
def interrupts_deferred() -> Generator[None, None, None]:
    """Answer Ctrl-C and termination after the block instead of inside it.

    A compiled library that calls back into Python loses an exception raised there, and would fit
    on with part of its data.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    former = {
        number: signal.signal(number, lambda caught, _: received.append(caught))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        for caught in dict.fromkeys(received):
            signal.raise_signal(caught)


def _prepare_worker(work: Callable[..., Any], shared: Any, ending: Connection) -> None:
    # Ctrl-C reaches the whole group; the parent decides, and drops what has not begun.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(ending,), daemon=True).start()
    threadpool_limits(limits=1)
    _worker_state.update(work=work, shared=shared)


def _end_with_parent(ending: Connection) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel, ending])
        os._exit(1)


def _run_one(task: Any) -> Any:
    return _worker_state["work"](_worker_state["shared"], task)
