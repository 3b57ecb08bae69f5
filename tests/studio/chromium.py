"""A headless Chromium, driven by its DevTools protocol over a websocket."""

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

pytest.importorskip("viser", reason="needs viser: pip install -e '.[dev]'")
aiohttp = pytest.importorskip("aiohttp", reason="needs aiohttp: pip install -e '.[dev]'")

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")

NEEDED = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="needs a browser: apt-get install chromium"),
]
"""Marks of tests that drive it."""

_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip

_SECONDS = 90.0

_WHERE = """(() => {
  const one = [...document.querySelectorAll('*')].reverse().find(
    one => one.innerText && one.innerText.trim() === %s && one.offsetParent);
  if (!one) return null;
  one.scrollIntoView({block: 'nearest'});
  const box = one.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
})()"""
"""The middle of the innermost element with a text."""

_CLOSE = """(() => {
  const found = [...document.querySelectorAll('button.mantine-Notification-closeButton')];
  found.forEach(one => one.click());
  return found.length;
})()"""


class Chromium:
    """A browser; its pages are tabs."""

    def __init__(self, profile: Path, width: int = 1400, height: int = 850) -> None:
        words = [
            PROGRAM,
            *_OPTIONS,
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
        ]
        self._process = subprocess.Popen(
            [*words, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._loop = asyncio.new_event_loop()
        port_file = profile / "DevToolsActivePort"
        wait_for(lambda: port_file.exists() and len(port_file.read_text().split()) == 2)
        port, path = port_file.read_text().split()
        self._numbers = itertools.count(1)
        self.events: list[dict] = []
        self._answers: dict[int, dict] = {}
        self._run(self._connect(f"ws://127.0.0.1:{port}{path}"))

    async def _connect(self, address: str) -> None:
        self._web = aiohttp.ClientSession()
        self._socket = await self._web.ws_connect(address, max_msg_size=0)

    def _run(self, coroutine):
        return self._loop.run_until_complete(asyncio.wait_for(coroutine, _SECONDS))

    async def _call(self, method: str, session: str | None, parameters: dict) -> dict:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(message | ({"sessionId": session} if session else {}))
        while number not in self._answers:
            data = json.loads((await self._socket.receive()).data)
            if "id" in data:
                self._answers[data["id"]] = data
                continue
            self.events.append(data)
            if data["method"] == "Target.attachedToTarget" and data.get("sessionId"):
                await self._watch(data["params"]["sessionId"])
        answer = self._answers.pop(number)
        assert "error" not in answer, answer
        return answer["result"]

    async def _watch(self, worker: str) -> None:
        """Let a page's worker, which waits, say what it asks for, and run."""
        for method in ("Network.enable", "Runtime.runIfWaitingForDebugger"):
            message = {"id": next(self._numbers), "method": method, "sessionId": worker}
            await self._socket.send_json(message)

    def call(self, method: str, session: str | None = None, **parameters) -> dict:
        """Call a method of the protocol."""
        return self._run(self._call(method, session, parameters))

    def open(self, address: str) -> "Tab":
        """A new tab that shows an address."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, target, session)
        for domain in ("Network", "Page", "Runtime"):
            tab.call(f"{domain}.enable")
        attach = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        tab.call("Target.setAutoAttach", **attach)
        tab.call("Page.navigate", url=address)
        return tab

    def close(self) -> None:
        """End the browser."""
        self._run(self._web.close())
        self._process.terminate()
        self._process.wait(timeout=20)
        self._loop.close()


class Tab:
    """A page in a browser."""

    def __init__(self, browser: Chromium, target: str, session: str) -> None:
        self._browser, self._target, self._session = browser, target, session

    def call(self, method: str, **parameters) -> dict:
        """Call a method of the protocol on this page."""
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, script: str):
        """The value of an expression of JavaScript."""
        given = {"expression": script, "returnByValue": True, "awaitPromise": True}
        return self.call("Runtime.evaluate", **given)["result"].get("value")

    def wait(self, script: str, seconds: float = _SECONDS):
        """The value of an expression once it is true."""
        return wait_for(lambda: self.evaluate(script), seconds)

    def close_notices(self) -> None:
        """Close what covers the page: viser's notice that there is no GPU."""
        self.wait(_CLOSE)

    def text(self) -> str:
        """What is written on the page."""
        return self.evaluate("document.body.innerText")

    def press(self, key: str, code: int) -> None:
        """Press a key of the keyboard."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    def click_text(self, text: str) -> None:
        """Click on what has just this text, once it is there."""
        found = self.wait(_WHERE % json.dumps(text))
        self.click(*found)

    def click(self, x: float, y: float) -> None:
        """Click on a point of the page."""
        self.drag((x, y), (x, y), steps=0)

    def drag(self, start, end, steps: int = 8) -> None:
        """Press the mouse at a point, move it to another, and release it."""
        self._mouse("mouseMoved", *start, 0)
        self._mouse("mousePressed", *start, 1)
        for i in range(1, steps + 1):
            x, y = (a + (b - a) * i / steps for a, b in zip(start, end, strict=True))
            self._mouse("mouseMoved", x, y, 1)
            time.sleep(0.06)
        self._mouse("mouseReleased", *end, 0)

    def _mouse(self, kind: str, x: float, y: float, buttons: int) -> None:
        given = {"button": "none" if kind == "mouseMoved" else "left", "buttons": buttons}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, clickCount=1, **given)

    def screenshot(self, path: Path) -> None:
        """Save what the page looks like as PNG."""
        data = self.call("Page.captureScreenshot")["data"]
        path.write_bytes(base64.b64decode(data))

    def requests(self) -> list[str]:
        """The addresses that the page has asked for, those of its workers and
        websockets included, data aside."""
        self.evaluate("0")  # takes in what has arrived
        events = self._browser.events
        attached = [e for e in events if e["method"] == "Target.attachedToTarget"]
        workers = [
            e["params"]["sessionId"] for e in attached if e.get("sessionId") == self._session
        ]
        own = [e for e in events if e.get("sessionId") in (self._session, *workers)]
        found = [
            e["params"]["request"]["url"] if "request" in e["params"] else e["params"]["url"]
            for e in own
            if e["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated")
        ]
        return [url for url in found if not url.startswith("data:")]

    def close(self) -> None:
        """Close the tab."""
        self._browser.call("Target.closeTarget", targetId=self._target)


def wait_for(found, seconds: float = _SECONDS):
    """What a function returns once that is true."""
    end = time.monotonic() + seconds
    while not (value := found()):
        if time.monotonic() > end:
            raise TimeoutError("nothing came within the time")
        time.sleep(0.1)
    return value
