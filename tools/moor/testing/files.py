"""Files for tests, and an XXH64 that is independent of the one under test."""

import os
import random

MIB = 1 << 20
_MASK = (1 << 64) - 1
_PRIMES = (
    11400714785074694791,
    14029467366897019727,
    1609587929392839161,
    9650029242287828579,
    2870177450012600261,
)


def write_random(path, size, seed=1):
    """Writes `size` random bytes and returns them."""
    data = random.Random(seed).randbytes(size)
    with open(path, "wb") as file:
        file.write(data)
    return data


def read(path):
    with open(path, "rb") as file:
        return file.read()


def drop_from_cache(path):
    """Evicts the pages of a file from the page cache; has no effect on a filesystem in memory."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _rotate(value, bits):
    return ((value << bits) | (value >> (64 - bits))) & _MASK


def _round(accumulator, lane):
    lane = lane * _PRIMES[1] & _MASK
    return _rotate((accumulator + lane) & _MASK, 31) * _PRIMES[0] & _MASK


def _stripes(data):
    """The hash of all whole stripes of 32 bytes."""
    lanes = [(_PRIMES[0] + _PRIMES[1]) & _MASK, _PRIMES[1], 0, -_PRIMES[0] & _MASK]
    for begin in range(0, len(data) - 31, 32):
        for index in range(4):
            word = data[begin + 8 * index : begin + 8 * index + 8]
            lanes[index] = _round(lanes[index], int.from_bytes(word, "little"))
    result = 0
    for lane, bits in zip(lanes, (1, 7, 12, 18)):
        result = (result + _rotate(lane, bits)) & _MASK
    for lane in lanes:
        result = ((result ^ _round(0, lane)) * _PRIMES[0] + _PRIMES[3]) & _MASK
    return result


def xxh64(data):
    """The XXH64 of `data` with seed 0, as 16 hexadecimal digits."""
    value = _stripes(data) if len(data) >= 32 else _PRIMES[4]
    value = (value + len(data)) & _MASK
    tail = data[len(data) // 32 * 32 :]
    while len(tail) >= 8:
        value ^= _round(0, int.from_bytes(tail[:8], "little"))
        value = (_rotate(value, 27) * _PRIMES[0] + _PRIMES[3]) & _MASK
        tail = tail[8:]
    if len(tail) >= 4:
        value ^= int.from_bytes(tail[:4], "little") * _PRIMES[0] & _MASK
        value = (_rotate(value, 23) * _PRIMES[1] + _PRIMES[2]) & _MASK
        tail = tail[4:]
    for byte in tail:
        value ^= byte * _PRIMES[4] & _MASK
        value = _rotate(value, 11) * _PRIMES[0] & _MASK
    for bits, prime in ((33, _PRIMES[1]), (29, _PRIMES[2])):
        value = (value ^ (value >> bits)) * prime & _MASK
    return f"{value ^ (value >> 32):016x}"
