"""Argon2id hashes, made and checked on a few threads of their own: a login never stops the event loop.

Cost: 19 MiB, 2 passes (OWASP's password storage cheat sheet, 2023, second choice of its list; 20 ms of processor
here). When more than `MOST_WAITING` checks wait, the next is refused at once and told to come back.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

MOST_WAITING = 256
"""About five seconds of work for one thread: as long as a rover waits for an answer."""


class PasswordsBusy(RuntimeError):
    """Too many passwords are being checked already: try again."""


class Passwords:
    """Hashes and checks; `close` when done."""

    def __init__(self, memory_kib: int = 19_456, passes: int = 2, workers: int | None = None) -> None:
        workers = workers or max(1, (os.cpu_count() or 2) // 2)  # the other half is for those who are in
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="argon2")
        self._waiting = 0
        self._decoy = self._hasher.hash("nobody's")

    async def hash(self, password: str) -> str:
        """PHC string of a new hash."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._hasher.hash, password)

    async def check(self, stored: str | None, password: str) -> bool:
        """True when the password is right. None (nobody of that name) costs as much and is False.

        Raises PasswordsBusy.
        """
        if self._waiting >= MOST_WAITING:
            raise PasswordsBusy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._check, stored, password)
        finally:
            self._waiting -= 1

    def _check(self, stored: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(stored if stored is not None else self._decoy, password) and stored is not None
        except (Argon2Error, InvalidHashError):
            return False

    def close(self) -> None:
        """End the threads; what waits is dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)
