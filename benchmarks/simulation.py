"""Epochs a second of the simulator: the default network with its rover, and 120 stations.

    python -m benchmarks.simulation

Process time on one core, median of five rounds of epochs that follow each other, compiled beforehand.
"""

from __future__ import annotations

import statistics
import time

from cors.gnss.time import parse_time
from rtk.simulation.configuration import Configuration, demo
from rtk.simulation.simulation import Simulation
from rtk.simulation.sites import network
from rtk.simulation.streams import Streams

START = parse_time("2026-11-25T05:20:00")
ROUNDS = 5


def measure(configuration: Configuration, epochs: int) -> tuple[float, float]:
    """Seconds and rows an epoch."""
    simulation = Simulation(configuration)
    simulation.epoch(0)
    seconds, rows = [], 0
    for k in range(ROUNDS):
        begin = time.process_time()
        for number in range(1 + k * epochs, 1 + (k + 1) * epochs):
            rows += simulation.epoch(number).observations.satellite.size
        seconds.append((time.process_time() - begin) / epochs)
    return statistics.median(seconds), rows / (ROUNDS * epochs)


def measure_streams(configuration: Configuration, epochs: int) -> tuple[float, float]:
    """Seconds and bytes an epoch, simulated and encoded."""
    streams = Streams(Simulation(configuration))
    streams.arrivals(0)
    seconds, size = [], 0
    for k in range(ROUNDS):
        begin = time.process_time()
        for number in range(1 + k * epochs, 1 + (k + 1) * epochs):
            size += sum(len(arrival.data) for arrival in streams.arrivals(number))
        seconds.append((time.process_time() - begin) / epochs)
    return statistics.median(seconds), size / (ROUNDS * epochs)


def main() -> None:
    """Print a line for each network."""
    begin = time.perf_counter()
    Simulation(demo(START)).epoch(0)
    print(f"first epoch, kernels loaded or compiled: {time.perf_counter() - begin:.1f} s")
    for name, configuration, epochs in (
        ("default network and rover", demo(START), 100),
        ("120 stations", Configuration(START, stations=network(120)), 20),
    ):
        seconds, rows = measure(configuration, epochs)
        print(f"{name}: {rows:.0f} rows, {seconds * 1e3:.1f} ms an epoch, {1.0 / seconds:.0f} epochs a second")
    seconds, size = measure_streams(demo(START), 100)
    print(f"default network as RTCM: {size:.0f} bytes, {seconds * 1e3:.1f} ms, {1.0 / seconds:.0f} epochs a second")


if __name__ == "__main__":
    main()
