"""The part of the Hub's interface that sharing uses, on loopback: repositories as dictionaries."""

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_of_the_tests"


class Hub(ThreadingHTTPServer):
    """Repositories by name; `repos[name]` maps files to their content."""

    daemon_threads = True

    def __init__(self):
        self.repos: dict[str, dict[str, bytes]] = {}
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def commit_of(files):
    return hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers as the Hub does, as far as its client looks."""

    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_):
        pass

    def answer(self, code, body=b"", headers=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def refuse(self, code, kind):
        self.answer(code, {"error": kind}, {"X-Error-Code": kind, "X-Error-Message": kind})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(self.path)
        if self.path == "/api/validate-yaml":
            return self.answer(200, {"errors": [], "warnings": []})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.refuse(401, "Unauthorized")
        if self.path == "/api/repos/create":
            asked = json.loads(body)
            owner = asked.get("organization") or "someone"
            name = f"{owner}/{asked['name']}"
            if owner == "stranger":
                return self.refuse(403, "Forbidden")
            self.server.repos.setdefault(name, {})
            return self.answer(200, {"url": f"{self.server.address}/{name}"})
        match = re.fullmatch(r"/api/models/(.+)/(preupload|commit)/main", self.path)
        assert match, self.path
        files = self.server.repos[match[1]]
        if match[2] == "preupload":
            names = [file["path"] for file in json.loads(body)["files"]]
            told = [
                {"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names
            ]
            return self.answer(200, {"files": told})
        for line in body.decode().splitlines():
            row = json.loads(line)
            if row["key"] == "file":
                files[row["value"]["path"]] = base64.b64decode(row["value"]["content"])
        where = f"{self.server.address}/{match[1]}/commit/{commit_of(files)}"
        return self.answer(
            200, {"commitUrl": where, "commitOid": commit_of(files), "success": True}
        )

    def do_GET(self):
        path = self.path.partition("?")[0]
        self.server.asked.append(path)
        match = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path)
        if match:
            return self.tell(match[1], match[2])
        match = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        files = self.server.repos.get(match[1], {}) if match else {}
        if match is None or match[3] not in files:
            return self.refuse(404, "EntryNotFound")
        data = files[match[3]]
        tag = hashlib.sha1(data).hexdigest()
        headers = {"ETag": f'"{tag}"', "X-Repo-Commit": commit_of(files)}
        return self.answer(200, data, headers)

    do_HEAD = do_GET

    def tell(self, name, revision):
        if name not in self.server.repos:
            return self.refuse(404 if self.headers.get("Authorization") else 401, "RepoNotFound")
        files = self.server.repos[name]
        if revision not in (None, "main", commit_of(files)):
            return self.refuse(404, "RevisionNotFound")
        told = {"id": name, "sha": commit_of(files), "private": False, "tags": []}
        return self.answer(200, told | {"siblings": [{"rfilename": path} for path in files]})
