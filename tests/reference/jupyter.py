"""Talks to perilune's kernel as the front ends of Jupyter do: by jupyter_client, by the suite of jupyter_kernel_test, and by nbclient.

    pip install -r tests/reference/jupyter.txt
    perilune jupyter install --prefix here
    export JUPYTER_PATH=$PWD/here/share/jupyter
    python tests/reference/jupyter.py suite              # or another check below, by its name
    python tests/reference/jupyter.py notebook a.ipynb   # runs it, and writes it back with its outputs

Answers 0 where all is as it should be.
"""

import base64
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import jupyter_kernel_test
import nbclient
import nbformat
from jupyter_client.manager import KernelManager, start_new_kernel

KERNEL = "perilune"
TIMEOUT = 60


class Kernel:
    """A kernel that is there while the block runs."""

    def __enter__(self):
        self.manager, self.client = start_new_kernel(kernel_name=KERNEL, startup_timeout=TIMEOUT)
        return self

    def __exit__(self, *_):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code, **how):
        """The content of the reply, and (kind, content) of all that was published."""
        found = []
        reply = self.client.execute_interactive(
            code, timeout=TIMEOUT, output_hook=lambda m: found.append((m["msg_type"], m["content"])), allow_stdin=False, **how
        )
        return reply["content"], found

    def outputs(self, code):
        """What a cell shows that works."""
        reply, found = self.run(code)
        assert reply["status"] == "ok", reply
        return [(kind, content) for kind, content in found if kind not in ("status", "execute_input")]

    def fails(self, code):
        """The error of a cell that does not work, which its reply and its output tell alike."""
        reply, found = self.run(code)
        assert reply["status"] == "error", reply
        errors = [content for kind, content in found if kind == "error"]
        assert len(errors) == 1, found
        for key in ("ename", "evalue", "traceback"):
            assert errors[0][key] == reply[key], (errors, reply)
        return reply

    def text(self, code):
        """What a cell prints."""
        shown = self.outputs(code)
        assert {kind for kind, _ in shown} == {"stream"} and {content["name"] for _, content in shown} == {"stdout"}, shown
        return "".join(content["text"] for _, content in shown)

    def value(self, code):
        """The text of a cell's value."""
        (kind, content), = self.outputs(code)
        assert kind == "execute_result", kind
        return content["data"]["text/plain"]

    def reply(self, message):
        """The content of the answer to a request that was sent."""
        while True:
            found = self.client.get_shell_msg(timeout=TIMEOUT)
            if found["parent_header"].get("msg_id") == message:
                return found["content"]

    def begin(self, code):
        """Starts a cell, and waits until it says that it runs."""
        message = self.client.execute("print('it runs') " + code)
        while True:
            found = self.client.get_iopub_msg(timeout=TIMEOUT)
            if found["msg_type"] == "stream" and "it runs" in found["content"]["text"]:
                return message


class Suite(jupyter_kernel_test.KernelTests):
    kernel_name = KERNEL
    language_name = "lua"
    file_extension = ".lua"
    code_hello_world = "print 'hello, world'"
    code_stderr = "require('log').warn('careful')"
    completion_samples = [
        {"text": "raster.op", "matches": {"open"}},
        {"text": "é = 1; string.fo", "matches": {"format"}},
        {"text": ":sa", "matches": {"save ", "save! "}},
    ]
    complete_code_samples = ["x = 1", "for i = 1, 2 do print(i) end", "1 + 1", "?raster", ":help", ""]
    incomplete_code_samples = ["for i = 1, 2 do", "x = {", "x = 1\nif x then"]
    invalid_code_samples = ["x = = 1", "x = 1\nend"]
    code_generate_error = "error('wrong')"
    code_execute_result = [{"code": "6 * 7", "result": "42"}, {"code": "x = 1\nx + 1", "result": "2"}, {"code": "'a'", "result": '"a"'}]
    code_display_data = [{"code": "f = plot.figure() f:axes():line({ 1, 2 }, { 1, 2 }) display(f)", "mime": "image/png"}]
    code_inspect_sample = "raster.open"
    code_history_pattern = "6 ?*"
    supported_history_operations = ("tail", "range", "search")


class Welcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = KERNEL
    support_iopub_welcome = True


def suite():
    tests = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in (Suite, Welcome))
    done = unittest.TextTestRunner(verbosity=2).run(tests)
    assert done.wasSuccessful() and done.testsRun - len(done.skipped) >= 11, done


def shows():
    with Kernel() as kernel:
        assert kernel.outputs("x = 41\nlocal y = x + 1") == []
        # A variable of one cell is there in the next, and the last value alone is shown.
        assert kernel.value("x\ny") == "42"
        assert kernel.value("_ + 1 -- what it was") == "43"
        assert kernel.outputs("tostring(x);") == []
        assert kernel.text("print(x) io.write('a', 1, '\\n')") == "41\na1\n"
        assert "looks" in kernel.text("?filter.lee")
        assert "on all cores" in kernel.text("x\n:time x = 2")
        assert kernel.value("x\n:params clear\nx") == "2"

        kernel.run("image = raster.random(raster.grid { crs = 32632, origin = { 0, 0 }, resolution = 10, rows = 40, cols = 60 }, { seed = 1 })")
        (kind, content), = kernel.outputs("image")
        data = content["data"]
        assert kind == "execute_result" and base64.b64decode(data["image/png"]).startswith(b"\x89PNG"), data.keys()
        assert "40 × 60" in data["text/plain"] and "<img" in data["text/html"], data["text/plain"]
        assert content["metadata"] == {}, content["metadata"]
        shown = kernel.outputs("rows = tables.new { { a = 1, b = 'x' } }\ndisplay(rows)\nrows")
        assert [kind for kind, _ in shown] == ["display_data", "execute_result"], shown
        assert all("<table" in content["data"]["text/html"] for _, content in shown), shown
        (_, content), = kernel.outputs("plot.map(image)")
        assert {"image/png", "image/svg+xml", "text/plain"} <= content["data"].keys(), content["data"].keys()

        # A value is written to the file that the cell names: from the folder of the notebook.
        kernel.outputs("image:write 'made.tif'")
        assert Path("made.tif").stat().st_size > 1000
        info = kernel.reply(kernel.client.kernel_info())
        assert info["language_info"]["pygments_lexer"] == info["language_info"]["codemirror_mode"] == "lua", info
        nothing = kernel.run("x = 5", silent=True, store_history=False)
        assert [kind for kind, _ in nothing[1]] == ["status", "status"], nothing


def fails():
    with Kernel() as kernel:
        error = kernel.fails("x = 1\n\nraster.open('gone.tif')\nx = 2")
        assert error["ename"] == "Error" and error["evalue"].startswith("cell 1:3: raster.open: "), error
        traceback = "\n".join(error["traceback"])
        assert "3 | raster.open('gone.tif')" in traceback and "^" in traceback, traceback
        assert kernel.value("x") == "1"
        # A cell is Lua, or nothing of it runs.
        error = kernel.fails("x = 3\nx = = 4")
        assert error["ename"] == "SyntaxError" and error["evalue"].startswith("cell 3:2: "), error
        error = kernel.fails("x = 3\nx\nx = = 4\nx")
        assert error["evalue"].startswith("cell 4:3: "), error
        assert kernel.value("x") == "1"
        # Lines of what is no Lua as a whole are those of the cell, too.
        error = kernel.fails("x\nx\nlocal function f()\n  error('wrong')\nend\nf()")
        assert error["evalue"] == "cell 6:4: wrong", error
        assert any("called from cell 6:6" in line for line in error["traceback"]), error
        error = kernel.fails("import numpy")
        assert any("require" in line for line in error["traceback"]), error
        error = kernel.fails("fitler.lee(x)")
        assert "filter" in error["evalue"], error
        # What a cell leaves by `return` is left.
        assert kernel.outputs("if x == 1 then return end\nerror('not come to')") == []

        # "Run All" sends all cells at once: what stands behind an error does not run.
        sent = [kernel.client.execute(code) for code in ("x = 10", "error('here')", "x = 11", "x = 12")]
        assert [kernel.reply(message)["status"] for message in sent] == ["ok", "error", "aborted", "aborted"]
        assert kernel.value("x") == "10"
        sent = [kernel.client.execute(code, stop_on_error=False) for code in ("error('here')", "x = 13")]
        assert [kernel.reply(message)["status"] for message in sent] == ["error", "ok"]


def interrupts():
    loops = [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "raster.random(raster.grid { crs = 32632, origin = { 0, 0 }, resolution = 1, rows = 60000, cols = 60000 }, { seed = 1 }):stats()",
    ]
    with Kernel() as kernel:
        kernel.outputs("kept = 'here'")
        process = kernel.manager.provisioner.pid
        by_message = kernel.manager.interrupt_kernel
        by_signal = lambda: os.kill(process, signal.SIGINT)
        for interrupt in (by_message, by_signal):
            for loop in loops:
                cell = kernel.begin(loop)
                behind = kernel.client.execute("kept = 'lost'")
                started = time.time()
                interrupt()
                reply = kernel.reply(cell)
                assert (reply["status"], reply["ename"]) == ("error", "Interrupted"), reply
                assert time.time() - started < 1.5, time.time() - started
                assert kernel.reply(behind)["status"] == "aborted"
                assert kernel.value("kept") == '"here"'
        # A stop of nothing stops nothing, however often.
        for _ in range(2):
            by_signal()
            by_message()
            time.sleep(1.2)
        assert kernel.value("kept") == '"here"'

        # While a cell runs the kernel can be asked what it is, over control.
        cell = kernel.begin(loops[0])
        asked = kernel.client.session.msg("kernel_info_request")
        kernel.client.control_channel.send(asked)
        assert kernel.client.get_control_msg(timeout=TIMEOUT)["content"]["implementation"] == "perilune"
        by_message()
        assert kernel.reply(cell)["status"] == "error"

        cell = kernel.begin(loops[0])
        kernel.manager.restart_kernel(now=False)
        kernel.client.wait_for_ready(timeout=TIMEOUT)
        assert "kept" in kernel.fails("kept.x = 1")["evalue"]


def answers():
    with Kernel() as kernel:
        kernel.outputs("image = raster.random(raster.grid { crs = 32632, origin = { 0, 0 }, resolution = 1, rows = 4, cols = 4 }, { seed = 1 })")

        def complete(code, at=None):
            found = kernel.reply(kernel.client.complete(code, at))
            return found["matches"], found["cursor_start"], found["cursor_end"]

        text = "s = 'äöü🛰'; x = ima + 1"
        assert complete(text, text.index("ima") + 3) == (["image"], text.index("ima"), text.index("ima") + 3)
        matches, start, end = complete("x = 1\nimage:foc")
        assert (start, end) == (12, 15) and all(m.startswith("foc") for m in matches), matches
        assert "looks = " in complete("filter.lee(image, { lo")[0]
        assert complete("x = 1\n:hel") == (["help "], 7, 10)
        assert complete("plot.map(image, { colormap = 'vir")[0] == ["viridis"]

        def inspect(code, at=None):
            found = kernel.reply(kernel.client.inspect(code, at))
            return found["data"].get("text/plain", "") if found["found"] else None

        assert "looks" in inspect("y = filter.lee(image)", 13)
        assert "looks" in inspect("y = filter.lee(image, ")
        assert "Raster" in inspect("y = image")
        assert "write" in inspect("raster.open('a.tif'):write")
        assert inspect("nobody") is None and inspect("") is None

        assert kernel.reply(kernel.client.is_complete("  if x then"))["indent"] == "    "
        assert kernel.reply(kernel.client.comm_info())["comms"] == {}
        kernel.client.shell_channel.send(kernel.client.session.msg("comm_open", {"comm_id": "c", "target_name": "t", "data": {}}))
        while (found := kernel.client.get_iopub_msg(timeout=TIMEOUT))["msg_type"] != "comm_close":
            pass
        assert found["content"]["comm_id"] == "c"
        odd = kernel.client.session.msg("odd_request", {})
        kernel.client.shell_channel.send(odd)
        assert kernel.reply(odd["header"]["msg_id"])["status"] == "error"
        # What another key has signed is not heard.
        kernel.client.session.key, key = b"another", kernel.client.session.key
        kernel.client.execute("x = 'broken in'")
        kernel.client.session.key = key
        assert "x" in kernel.fails("x.y = 1")["evalue"]


def progress():
    code = "for i in progress.each({ 1, 2, 3, 4, 5, 6, 7, 8 }, 'steps') do local t = os.clock() while os.clock() < t + 0.12 do end end"
    with Kernel() as kernel:
        shown = kernel.outputs(code)
        kinds = [kind for kind, _ in shown]
        assert kinds[0] == "display_data" and set(kinds[1:]) == {"update_display_data"} and len(kinds) > 2, kinds
        names = {content["transient"]["display_id"] for _, content in shown}
        assert len(names) == 1, names
        assert "steps: " in shown[0][1]["data"]["text/plain"] and "<progress" in shown[0][1]["data"]["text/html"], shown[0]
        assert shown[-1][1]["data"] == {"text/plain": "", "text/html": ""}, shown[-1]
        # Also where a cell fails in the middle, and another display for another cell.
        reply, found = kernel.run(code.replace("do local", "do if i == 6 then error('six') end local"))
        updates = [content for kind, content in found if kind == "update_display_data"]
        assert reply["status"] == "error" and updates[-1]["data"]["text/html"] == "", found
        assert updates[-1]["transient"]["display_id"] not in names
        assert kernel.outputs("for i in progress.each({ 1, 2 }, 'short') do end") == []


def prints():
    with Kernel() as kernel:
        started = time.time()
        shown = kernel.outputs("for i = 1, 20000 do print(i) end")
        took = time.time() - started
        text = "".join(content["text"] for _, content in shown)
        assert text == "".join(f"{i}\n" for i in range(1, 20001))
        assert len(shown) < 5000, len(shown)
        print(f"20,000 prints in {took:.2f} s, {len(shown)} messages")
        # One that never ends can be stopped, and takes no more memory all the while.
        cell = kernel.begin("while true do print(('x'):rep(1000)) end")
        time.sleep(1)
        kernel.manager.interrupt_kernel()
        assert kernel.reply(cell)["ename"] == "Interrupted"
        kilobytes = next(line.split()[1] for line in Path(f"/proc/{kernel.manager.provisioner.pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
        assert int(kilobytes) < 400_000, kilobytes


def killed():
    write = (
        "raster.random(raster.grid { crs = 32632, origin = { 0, 0 }, resolution = 1, rows = %d, cols = %d }, { seed = 1 })"
        ":write('map.tif', { compress = 'none' })"
    )
    with Kernel() as kernel:
        kernel.outputs(write % (300, 300))
        before = Path("map.tif").read_bytes()
        cell = kernel.begin(write % (30000, 30000))
        # Until something of it is on the disk.
        is_begun = lambda: any("map.tif" in p.name and p.name != "map.tif" for p in Path(".").rglob("*"))
        until = time.time() + 30
        while not is_begun() and time.time() < until:
            time.sleep(0.02)
        assert is_begun(), list(Path(".").rglob("*"))
        os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
        kernel.manager.provisioner.process.wait(TIMEOUT)
        assert Path("map.tif").read_bytes() == before
        kernel.manager.restart_kernel(now=True)
        kernel.client.wait_for_ready(timeout=TIMEOUT)
        kernel.outputs(write % (200, 200))
        assert Path("map.tif").read_bytes() != before
        assert not is_begun(), list(Path(".").rglob("*"))


def orphan():
    """A kernel goes when the front end that has started it is killed."""
    code = f"""
import time
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name={KERNEL!r})
client.execute("while true do end")
print(manager.provisioner.pid, flush=True)
time.sleep(60)
"""
    front_end = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    process = int(front_end.stdout.readline())
    front_end.kill()
    front_end.wait()
    is_there = lambda: Path(f"/proc/{process}/stat").exists() and " Z " not in Path(f"/proc/{process}/stat").read_text()
    until = time.time() + 10
    while is_there() and time.time() < until:
        time.sleep(0.1)
    assert not is_there()


def notebook(*files):
    """Runs notebooks in their order, each in its folder, and writes them back. What follows a file's name after a `?` are parameters, set before."""
    for word in files:
        started = time.time()
        file, _, parameters = word.partition("?")
        read = nbformat.read(file, as_version=4)
        if parameters:
            read.cells.insert(0, nbformat.v4.new_code_cell(f":params {parameters}"))
        folder = str(Path(file).resolve().parent)
        nbclient.NotebookClient(read, timeout=300, resources={"metadata": {"path": folder}}).execute()
        if parameters:
            del read.cells[0]
        nbformat.validate(read)
        nbformat.write(read, file)
        print(f"{file}: {time.time() - started:.1f} s")


def ready():
    """How long the kernel takes to start, and to answer."""
    times = []
    for _ in range(5):
        started = time.time()
        with Kernel() as kernel:
            times.append(time.time() - started)
            started = time.time()
            for _ in range(50):
                kernel.value("1")
            trip = (time.time() - started) / 50
    print(f"ready after {min(times):.3f} s, a cell there and back in {1000 * trip:.2f} ms")


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    globals()[name](*arguments)
