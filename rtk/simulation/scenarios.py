"""How disturbed the simulated world is: amplitudes of every error, and a switch for each of them.

A `Scenario` holds numbers only; `Effects` says which of them act. Switching an effect off leaves every other draw as
it was, so an ablation removes that error and nothing else. Amplitudes follow the sources listed in docs/simulation.md
(Ding et al. 2011 and Ning & Tang 2018 for waves and storms over China, Treuhaft & Lanyi 1987 for water vapour).
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Ionosphere:
    """A thin shell; content in TECU, lengths km, speeds m/s, times s unless the name says otherwise."""

    night: float
    """Vertical content at night."""
    day: float
    """What the day adds at 14 h local time."""
    crest: float
    """Relative height of the equatorial anomaly's crest at 20 degrees latitude; it makes the gradient over 25-30."""
    field_ratio: float
    """Standard deviation of the random field, ratio of the vertical content."""
    field_length: float
    field_time: float
    wave_ratio: float
    """Amplitude of each travelling wave (MSTID), ratio of the vertical content."""
    wave_lengths: tuple[float, float]
    wave_speeds: tuple[float, float]
    front_gradient: float = 0.0
    """Steepest vertical gradient of the storm front, mm/km at L1; 0: no front."""
    front_width: float = 25.0
    front_speed: float = 350.0
    front_arrival: float = 1800.0
    """When the front reaches the network's centre, s after the start."""
    front_duration: float = 1500.0
    scintillation: float = 0.0
    """0..1, activity inside the drifting patches."""


@dataclass(frozen=True, slots=True)
class Troposphere:
    """Zenith delays in m, lengths km, speeds m/s."""

    wet: float
    """Mean zenith wet delay at height 0."""
    wet_height: float
    """Scale height of the wet delay."""
    field: float
    """Standard deviation of the random field at height 0."""
    field_length: float
    """Outer scale of the turbulence."""
    wind: float
    gradient: float
    """Synoptic horizontal gradient of the zenith wet delay, m/km."""
    front: float = 0.0
    """Change of the zenith wet delay in a front passage."""
    front_width: float = 18.0
    front_arrival: float = 2400.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """Named set of amplitudes."""

    name: str
    ionosphere: Ionosphere
    troposphere: Troposphere
    local_time_h: float = 10.0
    """Local solar time of the network's centre at the start, whatever the calendar says."""
    slip_rate: float = 0.01
    """Slips a minute and satellite at 5 degrees elevation; falls by e each 8 degrees."""
    multipath: float = 1.0
    """Scale of all reflections."""


@dataclass(frozen=True, slots=True)
class Effects:
    """One switch an effect; all on is the real world."""

    orbits: bool = True
    """Errors of the broadcast orbits."""
    satellite_clocks: bool = True
    """Errors and noise of the broadcast clocks."""
    group_delays: bool = True
    """Code biases of satellites, those their messages tell and others."""
    receiver_clocks: bool = True
    hardware: bool = True
    """Code and phase biases of receivers, their drift, and phase biases of satellites."""
    glonass_biases: bool = True
    """Code-phase bias and inter-frequency code biases of GLONASS receivers."""
    quarter_cycles: bool = True
    """Phases of makes that do not align their signals (K.3), and half cycles of BDS GEOs (K.4)."""
    beidou2_code: bool = True
    """Elevation-dependent code of BDS-2 satellites."""
    ambiguities: bool = True
    ionosphere: bool = True
    ionosphere_field: bool = True
    ionosphere_waves: bool = True
    ionosphere_front: bool = True
    scintillation: bool = True
    hydrostatic: bool = True
    wet: bool = True
    wet_field: bool = True
    wet_gradient: bool = True
    wet_front: bool = True
    multipath: bool = True
    coloured_noise: bool = True
    noise: bool = True
    slips: bool = True
    half_cycles: bool = True
    tides: bool = True
    antennas: bool = True
    shapiro: bool = True

    @classmethod
    def none(cls) -> Effects:
        """Geometry alone."""
        return cls(**{f.name: False for f in fields(cls)})


CALM = Scenario(
    "calm",
    Ionosphere(
        night=5.0, day=12.0, crest=0.4, field_ratio=0.012, field_length=250.0, field_time=3600.0,
        wave_ratio=0.005, wave_lengths=(180.0, 300.0), wave_speeds=(80.0, 200.0),
    ),
    Troposphere(wet=0.15, wet_height=2.0, field=0.010, field_length=200.0, wind=6.0, gradient=1e-4),
)  # fmt: skip

DISTURBED = Scenario(
    "disturbed",
    Ionosphere(
        night=10.0, day=40.0, crest=0.8, field_ratio=0.018, field_length=200.0, field_time=2400.0,
        wave_ratio=0.008, wave_lengths=(130.0, 280.0), wave_speeds=(80.0, 300.0), scintillation=0.1,
    ),
    Troposphere(
        wet=0.30, wet_height=2.0, field=0.022, field_length=100.0, wind=9.0, gradient=3e-4, front=0.020,
    ),
    local_time_h=13.0,
    slip_rate=0.03,
)  # fmt: skip

STORM = Scenario(
    "storm",
    Ionosphere(
        night=20.0, day=70.0, crest=1.0, field_ratio=0.020, field_length=170.0, field_time=1800.0,
        wave_ratio=0.007, wave_lengths=(110.0, 260.0), wave_speeds=(150.0, 400.0), front_gradient=300.0,
        scintillation=0.8,
    ),
    Troposphere(
        wet=0.30, wet_height=2.0, field=0.025, field_length=80.0, wind=10.0, gradient=3e-4, front=0.030,
    ),
    local_time_h=15.0,
    slip_rate=0.1,
)  # fmt: skip

SCENARIOS = {scenario.name: scenario for scenario in (CALM, DISTURBED, STORM)}
