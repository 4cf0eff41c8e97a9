#!/usr/bin/env python3
"""Instructions, searches of the heap and system calls of one request, beside nginx: figures that no
neighbour on the machine disturbs.

usage: measure.py GATESCOPE [NGINX]

Each server runs alone under valgrind's callgrind, twice, for few requests and for many: the
difference is what the others cost. Instructions are those of the whole process, libraries too, and
not the kernel's; searches are calls of malloc() and its like. System calls are counted by strace in
runs of their own. Who asks is h2load; the upstream of `proxy` is a gatescope that nobody counts."""

import collections
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

# what, requests (few, many), h2load's options ({n}: so many requests), path
SCENARIOS = [
    ("1 KB file, HTTP/1.1", (1000, 3000), ["--h1", "-c8"], "/1k.html"),
    ("1 KB file, HTTP/2, 16 x 32 streams", (2048, 10240), ["-c16", "-m32"], "/1k.html"),
    ("100 KB file", (200, 600), ["--h1", "-c8"], "/100k.bin"),
    ("proxy to a unix socket, 1 KB", (1000, 3000), ["--h1", "-c8"], "/proxied/1k.html"),
    ("1 KB file, HTTP/1.1, with a line of log", (1000, 3000), ["--h1", "-c8"], "/logged/1k.html"),
    ("full handshake and 1 KB", (100, 300), ["--h1", "-c{n}"], "/1k.html"),
]
HEAP = {"malloc", "calloc", "realloc", "_mid_memalign.constprop.0", "aligned_alloc", "posix_memalign"}
PATIENCE = 60  # seconds: a start and an end under valgrind


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Site:
    """A folder with pages, a certificate and configurations for all of them."""

    def __init__(self, folder):
        self.folder = folder
        os.mkdir(folder + "/html")
        os.mkdir(folder + "/logs")
        with open(folder + "/html/1k.html", "w") as page:
            page.write("x" * 1023 + "\n")
        with open(folder + "/html/100k.bin", "wb") as file:
            file.write(os.urandom(100 * 1024))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-keyout", folder + "/key.pem", "-out", folder + "/certificate.pem"],
            check=True, stderr=subprocess.DEVNULL)
        self.upstream = folder + "/upstream.socket"

    def configure(self, name, server):
        path = f"{self.folder}/{name}.conf"
        with open(path, "w") as file:
            file.write(
                f"user root; daemon off; master_process off; worker_processes 1;\n"
                f"pid {self.folder}/{name}.pid; error_log {self.folder}/logs/{name}.log;\n"
                "events { worker_connections 4096; }\n"
                "http {\n"
                "  access_log off; keepalive_requests 10000000; sendfile on;\n"
                "  open_file_cache max=100 inactive=60s;\n"
                f"  upstream pages {{ server unix:{self.upstream}; keepalive 32; }}\n"
                f"  server {{ root {self.folder}/html; {server} }}\n"
                "}\n")
        return path

    def public(self, name, http2):
        """`http2`: how this server is told to speak it."""
        port = free_port()
        return port, self.configure(name, (
            f"listen 127.0.0.1:{port} ssl{http2} ssl_protocols TLSv1.3; ssl_certificate {self.folder}/certificate.pem;\n"
            f"    ssl_certificate_key {self.folder}/key.pem;\n"
            f"    location /logged/ {{ alias {self.folder}/html/; access_log {self.folder}/logs/{name}.access; }}\n"
            "    location /proxied/ { proxy_pass http://pages/; proxy_http_version 1.1; proxy_set_header Connection \"\"; }"))


class Running:
    def __init__(self, words, ready, log):
        self.process = subprocess.Popen(words, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                sys.exit(f"measure.py: {words[-1]} does not serve; see {log.name}")
            time.sleep(0.05)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def listens(port):
    def ask():
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        except ConnectionRefusedError:
            return False
    return ask


def load(port, requests, options, path):
    options = [option.format(n=requests) for option in options]
    done = subprocess.run(["h2load", "-n", str(requests), *options, f"https://127.0.0.1:{port}{path}"],
                          capture_output=True, text=True, timeout=600, check=True).stdout
    if f" {requests} succeeded" not in done:
        sys.exit(f"measure.py: not every request for {path} was answered:\n{done}")


def read_profile(path):
    """Instructions, and calls of malloc() and its like by others than those."""
    names, caller, callee = {}, "", ""
    total, searches = 0, 0

    def name_of(word):
        number, _, name = word.partition(" ")
        if name:
            names[number] = name
        return names.get(number, "")

    with open(path) as file:
        for line in file:
            if line.startswith("fn="):
                caller = name_of(line[3:].rstrip("\n"))
            elif line.startswith("cfn="):
                callee = name_of(line[4:].rstrip("\n"))
            elif line.startswith("calls=") and callee in HEAP and caller not in HEAP:
                searches += int(line[6:].split()[0])
            elif line.startswith("totals:"):
                total = int(line.split()[1])
    return total, searches


def profile(site, name, binary, http2, scenario, requests):
    """That run's figures; once in a while callgrind leaves a file without any."""
    for _ in range(3):
        counted = profile_once(site, name, binary, http2, scenario, requests)
        if counted[0] > 0:
            return counted
    sys.exit(f"measure.py: callgrind counted nothing of {binary}; see {site.folder}/logs/valgrind.log")


def profile_once(site, name, binary, http2, scenario, requests):
    """The process that served, of all that were started."""
    port, conf = site.public(name, http2)
    out = tempfile.mkdtemp(dir=site.folder)
    with open(site.folder + "/logs/valgrind.log", "w") as log:
        server = Running(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}/%p", binary, "-p",
                          site.folder + "/", "-c", conf], listens(port), log)
        try:
            load(port, requests, *scenario)
        finally:
            server.stop()
    return max(read_profile(f"{out}/{file}") for file in os.listdir(out))


def system_calls(site, name, binary, http2, scenario, requests):
    port, conf = site.public(name, http2)
    out = site.folder + "/strace"
    with open(site.folder + "/logs/strace.log", "w") as log:
        server = Running(["strace", "-f", "-c", "-o", out, binary, "-p", site.folder + "/", "-c", conf], listens(port), log)
        try:
            load(port, requests, *scenario)
        finally:
            # strace passes no signal on
            with open(f"{site.folder}/{name}.pid") as pid:
                os.kill(int(pid.read()), signal.SIGTERM)
            server.stop()
    counts = collections.Counter()
    with open(out) as file:
        for line in file:
            found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
            if found and found[2] != "total":
                counts[found[2]] += int(found[1])
    return counts


def measure(site, name, binary, http2, scenario):
    _, (few, many), *how = scenario
    low, high = (profile(site, name, binary, http2, how, n) for n in (few, many))
    before, after = (system_calls(site, name, binary, http2, how, n) for n in (few, many))
    calls = {call: (count - before[call]) / (many - few) for call, count in after.items()}
    return ((high[0] - low[0]) / (many - few), (high[1] - low[1]) / (many - few), sum(calls.values()),
            ", ".join(f"{call} {count:.2f}" for call, count in sorted(calls.items(), key=lambda c: -c[1]) if count >= 0.02))


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    servers = [("gatescope", os.path.abspath(sys.argv[1]), "; http2 on;")]
    if len(sys.argv) == 3:
        servers.append(("nginx", sys.argv[2], " http2;"))
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        site = Site(folder)
        conf = site.configure("upstream", f"listen unix:{site.upstream};")
        with open(folder + "/logs/upstream.out", "w") as log:
            upstream = Running([servers[0][1], "-p", folder + "/", "-c", conf], lambda: os.path.exists(site.upstream), log)
            try:
                print("| of one request | server | instructions | searches of the heap | system calls | which |")
                print("|---|---|---|---|---|---|")
                for scenario in SCENARIOS:
                    for name, binary, http2 in servers:
                        instructions, searches, calls, which = measure(site, name, binary, http2, scenario)
                        print(f"| {scenario[0]} | {name} | {instructions:,.0f} | {searches:.2f} | {calls:.2f} | {which} |", flush=True)
            finally:
                upstream.stop()


if __name__ == "__main__":
    main()
