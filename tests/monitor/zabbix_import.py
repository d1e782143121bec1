#!/usr/bin/env python3
"""Imports our template into a real Zabbix: PostgreSQL, Zabbix's server and its frontend, as Debian has
them, unpacked by `tools/setup.sh zabbix`, in a private folder and stopped at the end. Then this Zabbix
watches a real farm, and every item must have a value.

    tests/monitor/zabbix_import.py build/release/bin/tessera

A template with a mistake must be refused: then an import that passes means something.
"""
import gzip
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from tree import MONITOR, ROOT

sys.path.insert(0, str(ROOT / "tests" / "chaos"))

from farm import Farm
from random_model import make_random_model

DEBIAN = ROOT / "third_party" / "debian"
POSTGRES = DEBIAN / "usr" / "lib" / "postgresql" / "15" / "bin"
SQL = DEBIAN / "usr" / "share" / "zabbix-server-pgsql"
TEMPLATE = MONITOR / "zabbix" / "tessera.yaml"
EXTENSIONS = ("bcmath", "ctype", "gd", "gettext", "mbstring", "pgsql", "simplexml", "sockets", "xml",
              "dom", "xmlreader", "xmlwriter")
PATIENCE = 180.0


def until(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"it never came so far: {what}")
        time.sleep(0.2)
    return result


def free_port():
    """One that Zabbix's server takes, too: they end at 32767."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.randrange(20000, 32768)))
                return probe.getsockname()[1]
            except OSError:
                pass


def say(what):
    print(f"ok  {what}", flush=True)


class Zabbix:
    """Everything is in `folder`, and runs as nobody if we are root: PostgreSQL insists."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        self.session = None
        self.port = free_port()
        self.nobody = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.getuid() == 0 else []
        self.environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder),
                            "PGHOST": str(folder / "socket"), "PGUSER": "zabbix"}

    def start(self):
        (self.folder / "socket").mkdir()
        if self.nobody:
            shutil.chown(self.folder, "nobody", "nogroup")
            shutil.chown(self.folder / "socket", "nobody", "nogroup")
        self.start_database()
        self.start_frontend()
        self.start_server()

    def start_database(self):
        data = self.folder / "database"
        self.run(POSTGRES / "initdb", "-D", data, "-U", "zabbix", "-A", "trust", "-E", "UTF8", "--no-sync",
                 "--no-locale")
        self.launch("database", POSTGRES / "postgres", "-D", data, "-k", self.folder / "socket",
                    "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off")
        until("the database answers", lambda: self.run(POSTGRES / "pg_isready", fails=True))
        self.run(POSTGRES / "createdb", "zabbix")
        for part in ("schema", "images", "data"):
            self.run(POSTGRES / "psql", "-q", "-v", "ON_ERROR_STOP=1", "zabbix",
                     text=gzip.decompress((SQL / f"{part}.sql.gz").read_bytes()))
        say("the database has Zabbix's tables")

    def start_frontend(self):
        pages = self.folder / "pages"
        shutil.copytree(DEBIAN / "usr" / "share" / "zabbix", pages, symlinks=True)
        settings = self.folder / "zabbix.conf.php"
        settings.write_text(
            f"<?php\n$DB['TYPE'] = 'POSTGRESQL';\n$DB['SERVER'] = '{self.folder}/socket';\n"
            "$DB['PORT'] = '0';\n$DB['DATABASE'] = 'zabbix';\n$DB['USER'] = 'zabbix';\n"
            "$DB['PASSWORD'] = '';\n$DB['SCHEMA'] = '';\n$DB['DOUBLE_IEEE754'] = true;\n"
            "$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;\n")
        names = pages / "include" / "classes" / "core" / "CConfigFile.php"
        names.write_text(names.read_text().replace("/etc/zabbix/zabbix.conf.php", str(settings)))
        modules = next((DEBIAN / "usr" / "lib" / "php").glob("2*"))
        built_in = self.run(DEBIAN / "usr" / "bin" / "php8.2", "-n", "-m").lower().split()
        wanted = [f"-dextension={name}" for name in EXTENSIONS if name not in built_in]
        self.launch("frontend", DEBIAN / "usr" / "bin" / "php8.2", "-n", f"-dextension_dir={modules}", *wanted,
                    "-dmemory_limit=512M", "-dpost_max_size=32M", "-dmax_execution_time=300",
                    "-dmax_input_time=300", "-ddate.timezone=UTC", "-S", f"127.0.0.1:{self.port}", "-t", pages)
        until("the frontend answers", self.log_in)
        say(f"Zabbix {self.ask('apiinfo.version', anonymous=True)} answers")

    def start_server(self):
        settings = self.folder / "zabbix_server.conf"
        settings.write_text(
            f"ListenIP=127.0.0.1\nListenPort={free_port()}\nLogType=console\nPidFile={self.folder}/pid\n"
            f"SocketDir={self.folder}\nDBHost={self.folder}/socket\nDBName=zabbix\nDBUser=zabbix\n"
            "StartPollers=2\nCacheUpdateFrequency=2\n")
        self.launch("server", DEBIAN / "usr" / "sbin" / "zabbix_server", "-f", "-c", settings)

    def log_in(self):
        try:
            self.session = self.ask("user.login", {"username": "Admin", "password": "zabbix"}, anonymous=True)
        except OSError:
            return False
        return True

    def ask(self, method, parameters=(), anonymous=False):
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters or [],
                "auth": None if anonymous else self.session}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api_jsonrpc.php",
                                         json.dumps(body).encode(), {"Content-Type": "application/json-rpc"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            said = json.load(answer)
        if "error" in said:
            raise Refused(said["error"]["data"])
        return said["result"]

    def load(self, text):
        both = {"createMissing": True, "updateExisting": True}
        kinds = ("templates", "items", "triggers", "discoveryRules", "valueMaps", "templateDashboards")
        rules = {"groups": {"createMissing": True}} | {kind: both for kind in kinds}
        self.ask("configuration.import", {"format": "yaml", "source": text, "rules": rules})

    def run(self, *command, text=None, fails=False):
        done = subprocess.run(["setpriv", *self.nobody, "--", *map(str, command)], input=text,
                              capture_output=True, env=self.environment, cwd=self.folder)
        if done.returncode and not fails:
            raise AssertionError(f"{command}: {(done.stdout + done.stderr).decode()[-2000:]}")
        return done.stdout.decode() if not done.returncode else ""

    def launch(self, name, *command):
        with open(self.folder / f"{name}.log", "w") as log:
            self.processes.append(subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *self.nobody, "--", *map(str, command)], stdout=log,
                stderr=subprocess.STDOUT, env=self.environment, cwd=self.folder, start_new_session=True))

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()

    def logs(self):
        return "\n".join(f"{log.name}: {line}" for log in self.folder.glob("*.log")
                         for line in log.read_text(errors="replace").splitlines()[-15:])


class Refused(Exception):
    """Zabbix says no."""


def check_refusals(zabbix, template):
    mistakes = {
        "a constant that there is not": ("type: PROMETHEUS_TO_JSON", "type: PROMETHEUS_TO_XML"),
        "a trigger on an item that there is not": ("max(/Tessera by HTTP/tessera.steps",
                                                   "max(/Tessera by HTTP/tessera.stairs"),
        "a pattern that cannot be read": ("'tessera_workers{state=\"silent\"}'",
                                          "'tessera_workers{state=}'"),
    }
    for what, (right, wrong) in mistakes.items():
        assert right in template, right
        try:
            zabbix.load(template.replace(right, wrong))
        except Refused:
            continue
        raise AssertionError(f"Zabbix took {what}")
    say("Zabbix refuses templates with mistakes")


def check_values(zabbix, farm, workers):
    template, = zabbix.ask("template.get", {"filter": {"host": "Tessera by HTTP"}})
    group, = zabbix.ask("hostgroup.get", {"filter": {"name": "Zabbix servers"}})
    host = zabbix.ask("host.create", {
        "host": "farm", "groups": [{"groupid": group["groupid"]}],
        "templates": [{"templateid": template["templateid"]}],
        "macros": [{"macro": "{$TESSERA.URL}", "value": farm.url},
                   {"macro": "{$TESSERA.KEY}", "value": farm.admin_key}]})["hostids"][0]

    def items():
        return zabbix.ask("item.get", {"hostids": host, "output": ["key_", "lastclock", "error", "state"]})

    def ask_now():
        master, = [item["itemid"] for item in items() if item["key_"] == "tessera.metrics"]
        try:
            zabbix.ask("task.create", {"type": 6, "request": {"itemid": master}})
        except Refused:
            pass  # the server has not heard of the host yet

    def missing():
        return [item for item in items() if item["lastclock"] == "0" and item["key_"] != "tessera.metrics"]

    last = time.monotonic()
    ask_now()
    deadline = last + PATIENCE
    while (lacking := missing()) or sum("tessera.worker." in item["key_"] for item in items()) < 5 * workers:
        if time.monotonic() > deadline:
            raise AssertionError(f"without a value: {[(item['key_'], item['error']) for item in lacking]}")
        if time.monotonic() > last + 5:
            last = time.monotonic()
            ask_now()
        time.sleep(0.5)
    say(f"{len(items())} items have values, those of {workers} discovered workers among them")
    broken = zabbix.ask("trigger.get", {"hostids": host, "filter": {"state": 1}, "output": ["description", "error"]})
    assert not broken, broken


def main(binary):
    if not POSTGRES.exists():
        sys.exit("there is no Zabbix; `tools/setup.sh zabbix` unpacks it")
    with tempfile.TemporaryDirectory(prefix="tessera-zabbix-") as scratch:
        rooms = [pathlib.Path(scratch, name) for name in ("farm", "zabbix")]
        for room in rooms:
            room.mkdir()
        pathlib.Path(scratch).chmod(0o755)
        (rooms[0] / "models").mkdir()
        make_random_model(ROOT / "weights" / "tessera-tiny", rooms[0] / "models" / "random")
        farm = Farm(pathlib.Path(binary), rooms[0], workers=2)
        zabbix = Zabbix(rooms[1])
        try:
            zabbix.start()
            template = TEMPLATE.read_text()
            check_refusals(zabbix, template)
            zabbix.load(template)
            zabbix.load(template)
            say("the template is imported, and once more")
            farm.start_server()
            farm.start_supervisor()
            check_values(zabbix, farm, workers=3)
        except BaseException:
            print(zabbix.logs(), file=sys.stderr)
            raise
        finally:
            zabbix.stop()
            farm.stop()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
