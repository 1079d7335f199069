"""Downloads beside aria2c, from an nginx on this machine that allows 50 MB/s a connection.

By hand: apt-get install aria2 nginx-light; python3 scripts/bench_peers/download.py target/release/perilune
"""

import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PERILUNE = Path(sys.argv[1]).resolve()
CASES = sys.argv[2:] or ["rate", "cpu", "memory"]
PORT = 18080
ROOT = Path(tempfile.mkdtemp(prefix="bench-download-"))

CONFIGURATION = f"""
worker_processes 1; daemon off; pid {ROOT}/nginx.pid; error_log {ROOT}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; keepalive_requests 100000;
  client_body_temp_path {ROOT}/t1; proxy_temp_path {ROOT}/t2; fastcgi_temp_path {ROOT}/t3; uwsgi_temp_path {ROOT}/t4; scgi_temp_path {ROOT}/t5;
  server {{
    listen 127.0.0.1:{PORT}; root {ROOT}/www;
    location / {{ limit_rate 50m; }}
    location /wide/ {{ limit_rate 100m; }}
  }}
}}
"""


def measured(command, folder):
    """(CPU seconds, wall seconds, peak MiB, bytes) of a run into an empty folder, which goes afterwards."""
    target = Path(folder)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    subprocess.run(["sync"], check=True)
    with tempfile.NamedTemporaryFile() as report:
        wrapped = ["/usr/bin/time", "-q", "-o", report.name, "-f", "%U %S %e %M", *map(str, command)]
        done = subprocess.run(wrapped, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=target)
        if done.returncode != 0:
            raise SystemExit(f"{command}\nfailed:\n{done.stderr.decode()}")
        user, system, wall, peak = map(float, Path(report.name).read_text().split())
    got = sum(f.stat().st_size for f in target.rglob("*") if f.is_file() and ".perilune" not in f.parts)
    return user + system, wall, peak / 1024, got


def ours(urls, parallel, sums=None):
    script = ROOT / "download.lua"
    entries = [f'{{ url = "{url}"' + (f', checksum = "{sums[i]}"' if sums else "") + " }" for i, url in enumerate(urls)]
    script.write_text(
        'local catalog = require "catalog"\nlocal files = {\n' + ",\n".join(entries) + "\n}\n"
        f'local report, totals = catalog.download(files, {{ dir = "data", parallel = {parallel} }})\n'
        "assert(totals.fetched == #files)\n"
    )
    return [PERILUNE, "run", script]


def aria(urls, parallel):
    listing = ROOT / "urls.txt"
    listing.write_text("\n".join(urls) + "\n")
    return [
        "aria2c", "-q", "-i", listing, "-j", parallel, "-x", 1, "-s", 1, "--file-allocation=none", "--auto-file-renaming=false",
        "-d", "data",
    ]


def files(folder, number, size):
    place = ROOT / "www" / folder
    place.mkdir(parents=True)
    sums = []
    for i in range(number):
        content = os.urandom(size)
        (place / f"f{i}.dat").write_bytes(content)
        sums.append(hashlib.md5(content).hexdigest())
    return [f"http://127.0.0.1:{PORT}/{folder}/f{i}.dat" for i in range(number)], sums


def rate():
    urls, sums = files("rate", 200, 5_000_000)
    for parallel in (4, 8):
        sides = {"perilune": ours(urls, parallel), "aria2c": aria(urls, parallel)}
        times = {name: [] for name in sides}
        for _ in range(5):
            for name, command in sides.items():
                # The script of our side is written anew for each number.
                command = ours(urls, parallel) if name == "perilune" else command
                times[name].append(measured(command, ROOT / "into"))
        for name, runs in times.items():
            cpu, wall, peak, got = (statistics.median(column) for column in zip(*runs))
            assert got == 1_000_000_000, (name, got)
            print(f"200 × 5 MB, {parallel} at once, {name}: {wall:.2f} s, {got / wall / 1e6:.0f} MB/s, {cpu:.2f} s CPU, {peak:.0f} MiB")


def cpu():
    urls, sums = files("wide", 1, 2_000_000_000)
    for name, command in (("without MD5", ours(urls, 1)), ("with MD5", None)):
        runs = [measured(command or ours(urls, 1, sums), ROOT / "into") for _ in range(3)]
        used, wall, peak, got = (statistics.median(column) for column in zip(*runs))
        print(f"one file of 2 GB at {got / wall / 1e6:.0f} MB/s {name}: {used:.2f} s CPU = {100 * used / wall:.1f} % of a core, {peak:.0f} MiB")
    used, wall, peak, got = measured(aria(urls, 1), ROOT / "into")
    print(f"the same by aria2c: {got / wall / 1e6:.0f} MB/s, {100 * used / wall:.1f} % of a core, {peak:.0f} MiB")


def memory():
    urls, _ = files("small", 10_000, 10_000)
    for number in (100, 1_000, 10_000):
        used, wall, peak, got = measured(ours(urls[:number], 8), ROOT / "into")
        assert got == number * 10_000
        print(f"{number} files of 10 kB: {peak:.1f} MiB peak, {wall:.2f} s, {used:.2f} s CPU")


(ROOT / "www").mkdir()
(ROOT / "nginx.conf").write_text(CONFIGURATION)
os.chmod(ROOT, 0o755)
(ROOT / "www").chmod(0o755)
server = subprocess.Popen(["nginx", "-c", ROOT / "nginx.conf"], stderr=subprocess.DEVNULL)
try:
    time.sleep(1)
    for case in CASES:
        {"rate": rate, "cpu": cpu, "memory": memory}[case]()
finally:
    server.terminate()
    server.wait()
    shutil.rmtree(ROOT)
