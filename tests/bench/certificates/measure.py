#!/usr/bin/env python3
"""What a hundred certificates with SNI cost beside one: memory, start, CPU of a handshake.

usage: measure.py GATESCOPE [HANDSHAKES]

Handshakes are full ones of TLS 1.3 with ECDSA P-256, the names in turn. CPU time is the server's,
so other work on the machine disturbs it little; both sizes are measured twice, in alternation."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

MOST = 100
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        words = file.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / TICKS


def resident(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


class Server:
    def __init__(self, binary, folder, certificates):
        self.port = free_port()
        prefix = tempfile.mkdtemp(dir=folder)
        os.chmod(prefix, 0o755)
        os.mkdir(prefix + "/logs")
        servers = "".join(
            f"server {{ listen 127.0.0.1:{self.port} ssl; server_name n{i}.test;\n"
            f"ssl_certificate {folder}/certs/n{i}.test.pem;\n"
            f"ssl_certificate_key {folder}/certs/n{i}.test.key; return 200 x; }}\n"
            for i in range(certificates))
        with open(prefix + "/gatescope.conf", "w") as file:
            file.write("daemon off;\nevents { }\nhttp {\naccess_log off;\n" + servers + "}\n")
        began = time.monotonic()
        self.process = subprocess.Popen([binary, "-p", prefix + "/", "-c", "gatescope.conf"])
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    sys.exit("the server did not start")
                time.sleep(0.001)
        self.seconds = time.monotonic() - began

    def worker(self):
        """The child of a keeper, or the one process that there is."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            children = file.read().split()
        return int(children[0]) if children else self.process.pid

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def measure(binary, folder, certificates, handshakes):
    seconds = []
    for _ in range(4):
        server = Server(binary, folder, certificates)
        seconds.append(server.seconds)
        server.stop()
    server = Server(binary, folder, certificates)
    seconds.append(server.seconds)
    context = ssl.create_default_context(cafile=folder + "/certs/ca.pem")
    pid = server.worker()
    used = -cpu_seconds(pid)
    at_start = resident(pid)
    for i in range(handshakes):
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            context.wrap_socket(raw, server_hostname=f"n{i * 7 % certificates}.test").close()
    used += cpu_seconds(pid)
    print(f"{certificates:4} certificates: start {min(seconds) * 1e3:.0f} ms (best of 5), resident "
          f"{at_start} kB, after {handshakes} handshakes {resident(pid)} kB, "
          f"{used / handshakes * 1e6:.0f} us of CPU each", flush=True)
    server.stop()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    binary = os.path.abspath(sys.argv[1])
    handshakes = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    folder = tempfile.mkdtemp(prefix="gatescope-certificates-")
    try:
        os.chmod(folder, 0o755)
        for i in range(MOST):
            subprocess.run([binary, "cert", "dev", "--dir", folder + "/certs", "--name",
                            f"n{i}.test"], check=True, stdout=subprocess.DEVNULL)
        for certificates in (1, MOST, 1, MOST):
            measure(binary, folder, certificates, handshakes)
    finally:
        shutil.rmtree(folder)


main()
