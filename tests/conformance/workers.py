"""A pool of forked workers: one item at a time, so that a crash or a hang costs one item."""

import collections
import json
import os
import select
import signal
import sys
import time
import warnings

from library import first_line

# worker pool: forked children, one item at a time, so that a crash or a hang costs one item


class Reporter:
    def __init__(self, f):
        self.f = f

    def _send(self, o):
        self.f.write((json.dumps(o, default=str) + "\n").encode())
        self.f.flush()

    def start(self, check):
        self._send({"start": check})

    def result(self, check, res):
        self._send({"check": check, "res": res})

    def extra(self, **kw):
        self._send({"extra": kw})


def _child(rfd, wfd, items, work, init, options):
    import faulthandler
    import resource

    log = os.open(os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if options.memory:
        with open("/proc/self/statm") as f:  # on top of what is mapped already
            b = int(f.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") + int(
                options.memory * (1 << 30)
            )
        resource.setrlimit(resource.RLIMIT_AS, (b, b))
    faulthandler.enable()
    warnings.filterwarnings("ignore")
    rep = Reporter(os.fdopen(wfd, "wb"))
    rf = os.fdopen(rfd, "rb")
    rep._send({"start": "import"})
    ctx = init(options)
    rep._send({"ready": 1})
    for line in rf:
        q = json.loads(line)
        t = time.time()
        try:
            work(ctx, items[q["i"]], set(q["skip"]), rep)
        except BaseException as e:  # a harness defect: visible in the report
            rep._send({"extra": {"harness_error": first_line(e)}})
            import traceback

            traceback.print_exc()
        rep._send({"done": time.time() - t})
    rep.f.flush()


class Slot:
    def __init__(self):
        self.pid = None
        self.item = None


def run_pool(items, keys, checks_of, work, init, options, progress=True):
    """Runs work(ctx, item, skip, reporter) for each item in forked children; returns one dict a
    key: {'checks': {...}, 'extra': {...}, 'time': s}."""
    rows = [{"name": k, "checks": {}, "time": 0.0} for k in keys]
    queue = collections.deque(range(len(items)))
    slots = [Slot() for _ in range(max(1, options.jobs))]
    sys.stdout.flush()
    sys.stderr.flush()
    t0, done_n, shown = time.time(), 0, 0.0

    def spawn(s):
        a, b = os.pipe(), os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(a[1])
                os.close(b[0])
                for o in slots:  # other children's pipes
                    if o is not s and o.pid:
                        for fd in (o.w, o.r):
                            try:
                                os.close(fd)
                            except OSError:
                                pass
                _child(a[0], b[1], items, work, init, options)
            except BaseException:
                import traceback

                traceback.print_exc()
                os._exit(3)
            os._exit(0)
        os.close(a[0])
        os.close(b[1])
        s.pid, s.w, s.r, s.buf, s.cur, s.ready, s.served = pid, a[1], b[0], b"", "import", False, 0
        s.deadline = time.time() + 120

    def kill(s):
        try:
            os.kill(s.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return reap(s)

    def reap(s):
        _, st = os.waitpid(s.pid, 0)
        os.close(s.w)
        os.close(s.r)
        s.pid = None
        return st

    def give(s):
        if s.item is None:
            if not queue:
                return False
            s.item, s.skip = queue.popleft(), []
            s.t_item = time.time()
        s.cur = None
        s.deadline = time.time() + options.limit
        os.write(s.w, (json.dumps({"i": s.item, "skip": s.skip}) + "\n").encode())
        return True

    def finish(s, dt):
        nonlocal done_n
        rows[s.item]["time"] = round(rows[s.item]["time"] + dt, 3)
        s.item = None
        done_n += 1

    def rest(s, status, msg):
        row = rows[s.item]
        for c in checks_of(items[s.item]):
            if c not in row["checks"]:
                row["checks"][c] = {"status": status, "msg": msg}

    import_fails = 0
    while True:
        for s in slots:
            if s.pid is None and (s.item is not None or queue):
                spawn(s)
        live = [s for s in slots if s.pid is not None]
        if not live:
            break
        now = time.time()
        wait = max(0.0, min(s.deadline for s in live) - now)
        ready, _, _ = select.select([s.r for s in live], [], [], min(wait, 2.0))
        for s in live:
            if s.r in ready:
                data = os.read(s.r, 1 << 16)
                if not data:  # the child died
                    st = reap(s)
                    sig = os.WTERMSIG(st) if os.WIFSIGNALED(st) else 0
                    name = signal.Signals(sig).name if sig else f"exit {os.WEXITSTATUS(st)}"
                    if s.item is None:
                        if not s.ready:
                            import_fails += 1
                            if import_fails > 3:
                                print(
                                    f"the worker dies at import ({name}); giving up",
                                    file=sys.stderr,
                                )
                                queue.clear()
                        continue
                    row, dt = rows[s.item], time.time() - s.t_item
                    row.setdefault("extra", {}).setdefault("crashes", []).append(f"{s.cur}: {name}")
                    if s.cur and s.cur != "import":
                        row["checks"][s.cur] = {"status": "crash", "msg": name}
                        s.skip = list(row["checks"])
                        s.t_item = time.time()
                        row["time"] += dt
                    else:
                        rest(s, "crash", name)
                        finish(s, dt)
                    continue
                s.buf += data
                *lines, s.buf = s.buf.split(b"\n")
                for ln in lines:
                    o = json.loads(ln)
                    if "ready" in o:
                        s.ready = True
                        s.cur = None
                        if not give(s):
                            kill(s)
                            break
                    elif "start" in o:
                        s.cur = o["start"]
                    elif "check" in o:
                        rows[s.item]["checks"][o["check"]] = o["res"]
                        s.cur = None
                    elif "extra" in o:
                        rows[s.item].setdefault("extra", {}).update(o["extra"])
                    elif "done" in o:
                        finish(s, o["done"])
                        s.served += 1
                        if s.served >= 150:  # a fresh child now and then bounds leaks
                            kill(s)
                            break
                        if not give(s):
                            kill(s)
                            break
            elif time.time() > s.deadline:
                kill(s)
                if s.item is None:
                    import_fails += 1
                    if import_fails > 3:
                        queue.clear()
                    continue
                cur = s.cur or "start"
                msg = f"over {options.limit:g} s in {cur}"
                rest(s, "timeout", msg)
                finish(s, time.time() - s.t_item)
        if progress and sys.stderr.isatty() and time.time() - shown > 2:
            shown = time.time()
            print(
                f"\r{done_n}/{len(items)}  {shown - t0:.0f} s ", end="", file=sys.stderr, flush=True
            )
    if progress and sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    for i, r in enumerate(rows):
        for c in checks_of(items[i]):
            r["checks"].setdefault(c, {"status": "error", "msg": "not run"})
    return rows
