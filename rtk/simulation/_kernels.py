"""Kernels of the simulator: random numbers by key, locks, links (geometry and atmosphere), observations.

One file because a kernel and all it calls must live together (numba's cache), hence its length. Random numbers are
a hash of who and when, never a stream: any instant can be computed alone and gives the same values.
Arrays are laid out by `layout`; s counts receivers, n satellites, k signals of a satellite at a receiver's make.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

LAYOUT = 1
"""Edition of `layout`: a change of it makes numba compile anew."""

C = 299_792_458.0
EARTH_RATE = 7.292_115_1467e-5
REFERENCE_FREQUENCY = 1_575.42e6
TEC_TO_DELAY = 40.3e16 / (REFERENCE_FREQUENCY * REFERENCE_FREQUENCY)
EARTH_KM = 6371.0
TWO_PI = 2.0 * math.pi
DEGREE = math.pi / 180.0
CELL_S = 60.0
"""Length of a lock cell."""
NODE_MIDDLE_S = -0.110
NODE_STEP_S = 0.050
"""Satellite positions are given at NODE_MIDDLE_S and one step either side, relative to the nominal epoch."""
TIME_UNIT_S = 1e-3
SLIP, HALF_CYCLE = 1, 2


@njit(cache=True, nogil=True)
def mix(x):
    """Hash of an int64 in 0..2^32-1, same range (multiply-xorshift; products stay below 2^63)."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    x = ((x ^ (x >> 15)) * 0x4E6CA68B) & 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x31848BAB) & 0xFFFFFFFF
    return x ^ (x >> 14)


@njit(cache=True, nogil=True)
def key2(a, b):
    """Key of two integers; of b the low 31 bits."""
    return mix(mix(a & 0xFFFFFFFF) ^ (((b & 0x7FFFFFFF) * 0x3779B97F + 0x7F4A7C15) & 0xFFFFFFFF))


@njit(cache=True, nogil=True)
def uniform(a, b):
    """0..1, neither included."""
    return (key2(a, b) + 0.5) / 4294967296.0


@njit(cache=True, nogil=True)
def normals(a, b):
    """Two independent standard normal numbers (Box and Muller 1958)."""
    h = key2(a, b)
    radius = math.sqrt(-2.0 * math.log((h + 0.5) / 4294967296.0))
    angle = TWO_PI * (mix(h ^ 0x5BD1E995) + 0.5) / 4294967296.0
    return radius * math.cos(angle), radius * math.sin(angle)


@njit(cache=True, nogil=True)
def coloured(key, t, knot):
    """Two processes of unit variance at t, correlated over about `knot` s: normals blended by sine and cosine."""
    i = math.floor(t / knot)
    angle = 0.5 * math.pi * (t / knot - i)
    a0, b0 = normals(key, i)
    a1, b1 = normals(key, i + 1)
    c, s = math.cos(angle), math.sin(angle)
    return c * a0 + s * a1, c * b0 + s * b1


@njit(cache=True, nogil=True)
def oscillator(t, keys, offset, drift, amplitude, knots, out):
    """Offsets out [s] in s of oscillators: offset, drift (s/s) and a sum of coloured noises, amplitude [s, o]."""
    for s in range(keys.size):
        x = offset[s] + drift[s] * t
        for o in range(knots.size):
            x += amplitude[s, o] * coloured(keys[s] + o, t, knots[o])[0]
        out[s] = x


@njit(cache=True, nogil=True)
def light_time(coefficients, receiver, t):
    """Travel time (s) and place in the quadratic of the emission, for a reception at t (s after the nominal epoch)."""
    tau = 0.075
    u = 0.0
    for _ in range(5):
        u = (t - tau - NODE_MIDDLE_S) / NODE_STEP_S
        square = 0.0
        for j in range(3):
            d = coefficients[0, j] + u * (coefficients[1, j] + u * coefficients[2, j]) - receiver[j]
            square += d * d
        tau = math.sqrt(square) / C
    return tau, (t - tau - NODE_MIDDLE_S) / NODE_STEP_S


@njit(cache=True, nogil=True)
def waves_at(waves, x, y, t):
    """Sum of plane waves and its time derivative; rows are kx, ky (rad/km), omega (rad/s), phase, amplitude."""
    value = 0.0
    rate = 0.0
    for w in range(waves.shape[0]):
        angle = waves[w, 0] * x + waves[w, 1] * y - waves[w, 2] * t + waves[w, 3]
        value += waves[w, 4] * math.cos(angle)
        rate += waves[w, 4] * waves[w, 2] * math.sin(angle)
    return value, rate


@njit(cache=True, nogil=True)
def height_of(waves, x, y, t):
    """Sum of plane waves alone: the half of `waves_at` most places need."""
    value = 0.0
    for w in range(waves.shape[0]):
        value += waves[w, 4] * math.cos(waves[w, 0] * x + waves[w, 1] * y - waves[w, 2] * t + waves[w, 3])
    return value


@njit(cache=True, nogil=True)
def ramp(u):
    """0 below 0, 1 above 1, smooth between (steepest slope 1.5), and its slope."""
    if u <= 0.0 or u >= 1.0:
        return (0.0 if u <= 0.0 else 1.0), 0.0
    return u * u * (3.0 - 2.0 * u), 6.0 * u * (1.0 - u)


@njit(cache=True, nogil=True)
def vertical_content(iono, x, y, t):
    """TECU and TECU/s above the point x, y (km from the network's centre): day, crest, waves, storm front."""
    hours = (iono.local_s + t) / 3600.0 + x / (EARTH_KM * math.cos(iono.latitude)) * 12.0 / math.pi
    past = hours - 14.0 - 24.0 * math.floor((hours - 2.0) / 24.0)
    degrees = (iono.latitude + y / EARTH_KM) / DEGREE - 20.0
    base = iono.night + iono.day * max(0.0, math.cos(TWO_PI * past / 28.0))
    base *= 1.0 + iono.crest * math.exp(-(degrees * degrees) / 64.0)
    value, rate = waves_at(iono.waves, x, y, t)
    content, content_rate = base * (1.0 + value), base * rate
    f = iono.front
    if f[0] != 0.0:  # amount TECU, direction x, y, speed km/s, arrival s, width km, duration s
        behind = f[3] * (t - f[4]) - f[1] * x - f[2] * y
        up, up_slope = ramp(behind / f[5])
        down, down_slope = ramp((behind - f[3] * f[6]) / (4.0 * f[5]))
        content += f[0] * (up - down)
        content_rate += f[0] * f[3] * (up_slope / f[5] - down_slope / (4.0 * f[5]))
    return max(content, 0.0), content_rate


@njit(cache=True, nogil=True)
def activity(iono, x, y, t):
    """Scintillation 0..1: drifting patches where two waves meet."""
    if iono.scintillation == 0.0:
        return 0.0
    value = height_of(iono.patches, x, y, t)
    return iono.scintillation * min(1.0, max(0.0, (value - 0.7) / 0.8))


@njit(cache=True, nogil=True)
def pierce(iono, receiver, e):
    """Where the ray along e meets the shell, km east and north of the centre, and 1 / cos of its zenith angle there."""
    along = receiver[0] * e[0] + receiver[1] * e[1] + receiver[2] * e[2]
    square = receiver[0] ** 2 + receiver[1] ** 2 + receiver[2] ** 2
    root = math.sqrt(along * along - square + iono.radius * iono.radius)
    way = root - along
    px, py, pz = receiver[0] + way * e[0], receiver[1] + way * e[1], receiver[2] + way * e[2]
    latitude = math.atan2(pz, math.sqrt(px * px + py * py))
    longitude = math.atan2(py, px) - iono.longitude
    longitude -= TWO_PI * math.floor(longitude / TWO_PI + 0.5)
    x = EARTH_KM * math.cos(iono.latitude) * longitude
    return x, EARTH_KM * (latitude - iono.latitude), iono.radius / root


@njit(cache=True, nogil=True)
def mapping(sine, coefficients, h):
    """Continued fraction of Marini (1972) whose three coefficients are linear in height h (km)."""
    a = coefficients[0, 0] + coefficients[0, 1] * h
    b = coefficients[1, 0] + coefficients[1, 1] * h
    c = coefficients[2, 0] + coefficients[2, 1] * h
    return (1.0 + a / (1.0 + b / (1.0 + c))) / (sine + a / (sine + b / (sine + c)))


@njit(cache=True, nogil=True)
def zenith_wet(tropo, x, y, t):
    """Zenith wet delay (m) at height 0 over x, y (km)."""
    wet = tropo.wet + height_of(tropo.waves, x, y, t)
    f = tropo.front
    if f[0] != 0.0:  # change m, direction x, y, speed km/s, arrival s, width km
        wet += f[0] * ramp((f[3] * (t - f[4]) - f[1] * x - f[2] * y) / f[5] + 0.5)[0]
    return max(wet, 0.0)


@njit(cache=True, nogil=True)
def troposphere(tropo, plane, zhd, sine, sin_az, cos_az, t):
    """Slant delay (m) at a point x, y, h (km): the wet part is that over the ray's point at the wet scale height."""
    h = plane[2]
    cosine = math.sqrt(max(1e-12, 1.0 - sine * sine))
    reach = tropo.wet_height * cosine / max(sine, 0.05)
    wet = zenith_wet(tropo, plane[0] + reach * sin_az, plane[1] + reach * cos_az, t) * math.exp(-h / tropo.wet_height)
    return zhd * mapping(sine, tropo.hydrostatic_mapping, h) + wet * mapping(sine, tropo.wet_mapping, h)


@njit(cache=True, nogil=True)
def link(place, s, satellite, n, atmosphere, t, e, out):
    """Geometry and atmosphere of one link. Unit vector e [3]; out [11] = range (with Sagnac by inertial light time),
    range rate, emission time (s after the nominal epoch), azimuth, sine of elevation, slant ionosphere (m), its rate,
    slant troposphere (m), scintillation; the last two are `signal_strength`'s."""
    delta = place.reception[s]
    angle = EARTH_RATE * delta
    ca, sa = math.cos(angle), math.sin(angle)
    r = np.empty(3)
    v = np.empty(3)
    p, w = place.position[s], place.velocity[s]
    x, y = p[0] + w[0] * delta, p[1] + w[1] * delta
    r[0], r[1], r[2] = ca * x - sa * y, sa * x + ca * y, p[2] + w[2] * delta
    v[0], v[1], v[2] = ca * w[0] - sa * w[1] - EARTH_RATE * r[1], sa * w[0] + ca * w[1] + EARTH_RATE * r[0], w[2]
    coefficients = satellite.position[n]
    tau, u = light_time(coefficients, r, delta)
    rate, towards = 0.0, 0.0
    for j in range(3):
        e[j] = (coefficients[0, j] + u * (coefficients[1, j] + u * coefficients[2, j]) - r[j]) / (C * tau)
        speed = (coefficients[1, j] + 2.0 * u * coefficients[2, j]) / NODE_STEP_S
        rate += e[j] * (speed - v[j])
        towards += e[j] * speed
    frame = place.rotation[s]
    east = frame[0, 0] * e[0] + frame[0, 1] * e[1] + frame[0, 2] * e[2]
    north = frame[1, 0] * e[0] + frame[1, 1] * e[1] + frame[1, 2] * e[2]
    sine = min(1.0, frame[2, 0] * e[0] + frame[2, 1] * e[1] + frame[2, 2] * e[2])
    flat = max(1e-9, math.sqrt(east * east + north * north))
    ix, iy, factor = pierce(atmosphere.iono, r, e)
    content, content_rate = vertical_content(atmosphere.iono, ix, iy, t + delta)
    out[0], out[1], out[2] = C * tau, rate / (1.0 + towards / C), delta - tau
    out[3], out[4] = math.atan2(east, north), sine
    out[5], out[6] = TEC_TO_DELAY * content * factor, TEC_TO_DELAY * content_rate * factor
    out[7] = troposphere(atmosphere.tropo, place.plane[s], place.zhd[s], sine, east / flat, north / flat, t + delta)
    out[8] = activity(atmosphere.iono, ix, iy, t + delta)


@njit(cache=True, nogil=True)
def shapiro(satellite, n, position, distance):
    """Relativistic delay of the path (m): 2 mu / c^2 ln((rs + rr + d) / (rs + rr - d))."""
    rs = math.sqrt(
        satellite.position[n, 0, 0] ** 2 + satellite.position[n, 0, 1] ** 2 + satellite.position[n, 0, 2] ** 2
    )
    rr = math.sqrt(position[0] ** 2 + position[1] ** 2 + position[2] ** 2)
    return 2.0 * 3.986004418e14 / (C * C) * math.log((rs + rr + distance) / (rs + rr - distance))


@njit(cache=True, nogil=True)
def antenna_delay(offset, pattern, azimuth, sine):
    """What the antenna adds to a range (m): - offset . e + variation; offset north, east, up of one band."""
    s2 = 1.0 - sine * sine
    cosine = math.sqrt(max(0.0, s2))
    flat = (offset[0] * math.cos(azimuth) + offset[1] * math.sin(azimuth)) * cosine
    variation = s2 * (pattern[0] + pattern[1] * s2 + pattern[2] * math.cos(2.0 * (azimuth - pattern[3])))
    return variation - flat - offset[2] * sine


@njit(cache=True, nogil=True)
def reflections(reflectors, azimuth, sine, frequency, out):
    """Code and phase multipath out [2] (m, before the signal's scale) of reflectors [r, 6]: path vector east, north,
    up (m), phase, amplitude of code and of phase at 10 degrees, both falling by e every 20 degrees of elevation."""
    cosine = math.sqrt(max(0.0, 1.0 - sine * sine))
    east, north = cosine * math.sin(azimuth), cosine * math.cos(azimuth)
    fall = math.exp(-(math.asin(sine) / DEGREE - 10.0) / 20.0)
    out[0] = out[1] = 0.0
    for r in range(reflectors.shape[0]):
        way = reflectors[r, 0] * east + reflectors[r, 1] * north + reflectors[r, 2] * sine
        angle = TWO_PI * frequency / C * way + reflectors[r, 3]
        out[0] += fall * reflectors[r, 4] * math.cos(angle)
        out[1] += fall * reflectors[r, 5] * math.sin(angle)


@njit(cache=True, nogil=True)
def signal_strength(receiver, s, n, t, values):
    """C/N0 of a satellite at L1 (dB-Hz) into values[9], depth of its fades 0.. into values[10]."""
    slow, fading = coloured(key2(receiver.key[s], 5000 + n), t, 60.0)
    values[9] = 35.0 + 15.0 * values[4] + receiver.cn0[s] + slow
    values[10] = abs(fading)


@njit(cache=True, nogil=True)
def signal_errors(receiver, s, signals, m, n, k, key, values, t, t_ms, out):
    """Errors of one signal: out [5] = code m, phase m, rate m/s, C/N0 dB-Hz, 0. values as `link` fills them.

    White code noise falls with C/N0 as a delay lock loop's, phase noise as a 15 Hz phase lock loop's (algorithms G).
    """
    azimuth, sine, scintillation = values[3], values[4], values[8]
    frequency = signals.frequency[m, n, k]
    cn0 = max(22.0, values[9] + signals.cn0[m, n, k] - scintillation * 8.0 * values[10])
    noise = receiver.noise[s]
    a, b = normals(key + 1, t_ms)
    c, _ = normals(key + 2, t_ms)
    weak = 10.0 ** ((45.0 - cn0) / 20.0)
    ca, cb = coloured(key + 3, t, 60.0)
    reflections(receiver.reflectors[s], azimuth, sine, frequency, out)
    scale = signals.multipath[m, n, k]
    sigma = C / frequency / TWO_PI * math.sqrt(15.0) * 10.0 ** (-cn0 / 20.0) * (1.0 + 9.0 * scintillation)
    wave = REFERENCE_FREQUENCY / frequency
    out[0] = scale * out[0] + noise * signals.chip[m, n, k] * weak * a + receiver.coloured[s, 0] * scale * ca
    out[1] = wave * out[1] + noise * sigma * b + receiver.coloured[s, 1] * wave * cb
    out[2] = noise * 0.008 * weak * c
    out[3] = cn0


@njit(cache=True, nogil=True)
def beidou2_code(table, group, band, sine):
    """Bias in the code of a BDS-2 satellite (m): minus the correction table, linear in elevation (Wanninger, Beer)."""
    degrees = min(89.999, max(0.0, math.asin(sine) / DEGREE))
    i = int(degrees / 10.0)
    f = degrees / 10.0 - i
    return -((1.0 - f) * table[group, band, i] + f * table[group, band, i + 1])


@njit(cache=True, nogil=True)
def observe(t, place, satellite, receiver, signals, atmosphere, antennas, locks, rows, links):
    """All observations of one epoch, `t` s after the start; returns rows and links written.

    Row: satellite, signal, station, link; values of Observations; truth. A signal is there from its lock on until
    its satellite sets.
    """
    t_ms = math.floor(t / TIME_UNIT_S + 0.5)
    e, values, errors = np.empty(3), np.empty(11), np.empty(5)
    row = n_links = 0
    for s in range(place.position.shape[0]):
        m = receiver.make[s]
        for n in range(satellite.usable.size):
            if not satellite.usable[n] or not place.active[s] or t >= locks.ends[s, n]:
                continue
            first = row
            for k in range(signals.tracked[m, n]):
                after = t >= locks.event_at[s, n] and locks.event_mask[s, n] >> k & 1
                start = locks.next_from[s, n, k] if after else locks.lock_from[s, n, k]
                if t < start:
                    continue
                if row == first:
                    link(place, s, satellite, n, atmosphere, t, e, values)
                    signal_strength(receiver, s, n, t, values)
                    links.values[n_links] = values
                    links.station[n_links], links.satellite[n_links] = s, n
                integer = locks.next_integer[s, n, k] if after else locks.integer[s, n, k]
                half = locks.next_half[s, n, k] if after else locks.half_until[s, n, k]
                key = key2(receiver.key[s], (n << 3) + k)
                signal_errors(receiver, s, signals, m, n, k, key, values, t, t_ms, errors)
                write_row(
                    row, s, n, k, m, t, start, integer, half, key, values, errors, place, satellite, receiver, signals,
                    antennas, rows,
                )  # fmt: skip
                rows.link[row] = n_links
                row += 1
            if row > first:
                n_links += 1
    return row, n_links


@njit(cache=True, nogil=True)
def write_row(
    row, s, n, k, m, t, start, integer, half, key, values, errors, place, satellite, receiver, signals, antennas, rows
):
    """One row from its parts: P = rho + c (dt_r - dt_s) + T + mu I + biases, L with -mu I and lambda N."""
    frequency = signals.frequency[m, n, k]
    wavelength = C / frequency
    mu = (REFERENCE_FREQUENCY / frequency) ** 2
    band = signals.band[m, n, k]
    sine = values[4]
    clock = satellite.clock[n, 0] + satellite.clock[n, 1] * (values[2] - NODE_MIDDLE_S)
    antenna = receiver.antenna[s]
    model = values[0] - C * clock + values[7]
    model += antenna_delay(antennas.offset[antenna, band], antennas.pattern[antenna, band], values[3], sine)
    if satellite.shapiro:
        model += shapiro(satellite, n, place.position[s], values[0])
    signal = signals.signal[m, n, k]
    code_bias = receiver.code_bias[s, signal] + receiver.glonass_code[s, n] + signals.delay[m, n, k]
    if satellite.group[n] >= 0:
        code_bias += beidou2_code(satellite.code_table, satellite.group[n], signals.beidou2_band[m, n, k], sine)
    cycles = integer + signals.cycles[m, n]
    if t < half and mix(key) & 1:
        cycles += 0.5
    phase_bias = receiver.phase_bias[s, signal] + wavelength * signals.phase[m, n, k]
    rows.satellite[row], rows.signal[row] = satellite.packed[n], signal
    rows.pseudorange[row] = model + C * place.clock[s] + mu * values[5] + code_bias + errors[0]
    rows.phaserange[row] = (
        model + C * place.phase_clock[s] - mu * values[5] + phase_bias + wavelength * cycles + errors[1]
    )
    rows.phaserange_rate[row] = values[1] + C * (place.drift[s] - satellite.clock[n, 1]) - mu * values[6] + errors[2]
    rows.cn0[row] = errors[3]
    rows.lock_time[row] = (t - start) * 1e3
    rows.flags[row] = HALF_CYCLE if t < half else 0
    rows.station[row], rows.k[row] = s, k
    rows.integer[row] = integer
    rows.code_bias[row], rows.phase_bias[row] = code_bias, phase_bias + wavelength * (cycles - integer)
    rows.code_error[row], rows.phase_error[row] = errors[0], errors[1]
    rows.lock_from[row], rows.half_until[row] = start, half


@njit(cache=True, nogil=True)
def unit_vector(satellite, receiver, e):
    """e [3] from receiver to satellite."""
    x, y, z = satellite[0] - receiver[0], satellite[1] - receiver[1], satellite[2] - receiver[2]
    length = math.sqrt(x * x + y * y + z * z)
    e[0], e[1], e[2] = x / length, y / length, z / length


@njit(cache=True, nogil=True)
def elevation_degrees(frame, e):
    """Elevation of a unit vector in a frame whose third row is up."""
    sine = frame[2, 0] * e[0] + frame[2, 1] * e[1] + frame[2, 2] * e[2]
    return math.asin(max(-1.0, min(1.0, sine))) / DEGREE


@njit(cache=True, nogil=True)
def new_lock(locks, s, n, k, start, key, ratio, spread):
    """Lock of one signal from `start` on: fresh integer within +-spread, half cycle open for some seconds or not."""
    locks.lock_from[s, n, k] = start
    locks.integer[s, n, k] = math.floor((2.0 * uniform(key, 11) - 1.0) * spread + 0.5)
    locks.half_until[s, n, k] = start + 2.0 + 8.0 * uniform(key, 12) if uniform(key, 13) < ratio else -1e18


@njit(cache=True, nogil=True)
def draw_event(locks, s, n, count, start, key, rate, ratio):
    """With probability `rate` an event in this cell: a slip of one signal, of all, or a gap of 2-20 s of all."""
    locks.event_at[s, n] = np.inf
    if uniform(key, 1) >= rate:
        return
    at = start + CELL_S * uniform(key, 2)
    kind = uniform(key, 3)
    mask = (1 << count) - 1
    if kind < 0.5:
        mask = 1 << int(count * uniform(key, 4))
    gap = 2.0 + 18.0 * uniform(key, 5) if kind >= 0.8 else 0.0
    locks.event_at[s, n] = at
    locks.event_mask[s, n] = mask
    for k in range(count):
        u = uniform(key, 20 + k)
        size = 1 + int(50.0 * u * u * u)
        again = at + gap
        locks.next_from[s, n, k] = again
        locks.next_integer[s, n, k] = locks.integer[s, n, k] + (size if key >> k & 1 else -size)
        locks.next_half[s, n, k] = again + 4.0 if uniform(key, 30 + k) < ratio else -1e18


@njit(cache=True, nogil=True)
def advance(cell, first, position, frames, ends, make, keys, count, iono, locks, mask, rate, spread, half_ratio):
    """Locks of cell `cell` (60 s) from those of the cell before. `ends` [2, n, 3]: satellites at its start and end.

    Satellites rise and set where the elevation between both crosses the mask of the station (degrees); `rate` scales
    the events of a minute: exp(-(el - 5) / 8), and scintillation on top.
    """
    start = cell * CELL_S
    e = np.empty(3)
    for s in range(make.size):
        for n in range(ends.shape[1]):
            signals = count[make[s], n]
            if signals == 0:
                continue
            unit_vector(ends[1, n], position[s], e)
            after = elevation_degrees(frames[s], e)
            unit_vector(ends[0, n], position[s], e)
            before = elevation_degrees(frames[s], e)
            key = key2(key2(keys[s], n + 1000), cell)
            if locks.event_at[s, n] < np.inf:
                for k in range(signals):
                    if locks.event_mask[s, n] >> k & 1:
                        locks.lock_from[s, n, k] = locks.next_from[s, n, k]
                        locks.integer[s, n, k] = locks.next_integer[s, n, k]
                        locks.half_until[s, n, k] = locks.next_half[s, n, k]
            locks.event_at[s, n] = np.inf
            locks.ends[s, n] = np.inf if after >= mask[s] else -np.inf
            if before >= mask[s] and after < mask[s]:
                locks.ends[s, n] = start + CELL_S * (before - mask[s]) / (before - after)
            if before < mask[s] or first:
                rise = start + CELL_S * max(0.0, (mask[s] - before) / (after - before)) if after > before else start
                if first and before >= mask[s]:
                    rise = start - 3000.0 * uniform(key, 7)
                for k in range(signals):
                    search = 3.0 * uniform(key, 40 + k) + (2.0 if k else 0.0)
                    new_lock(locks, s, n, k, rise + search, key2(key, 50 + k), half_ratio[make[s]], spread)
            else:
                x, y, _ = pierce(iono, position[s], e)
                chance = rate * math.exp(-(before - 5.0) / 8.0) + rate * 6.0 * activity(iono, x, y, start)
                draw_event(locks, s, n, signals, start, key, min(0.9, chance), half_ratio[make[s]])
