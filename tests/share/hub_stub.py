"""The part of the Hub's interface that sharing uses, on loopback: repositories as dictionaries.

Large files go the way that the Hub asks of them: by LFS to a storage of their own, and from there
by a redirect.
"""

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_of_the_tests"
LARGE = (".safetensors", ".mp4")
"""Endings that go by LFS whatever their size (a new repository's .gitattributes)."""
LARGEST_REGULAR = 10_000_000
"""Bytes from which every file goes by LFS."""


class Hub(ThreadingHTTPServer):
    """Repositories by name; `repos[name]` maps files to their content.

    `storage` holds what came by LFS by its digest, `commits` the kinds and paths of each commit;
    with `full` the storage takes nothing.
    """

    daemon_threads = True

    def __init__(self):
        self.repos: dict[str, dict[str, bytes]] = {}
        self.asked: list[str] = []
        self.storage: dict[str, bytes] = {}
        self.verified: set[str] = set()
        self.commits: list[list[tuple[str, str]]] = []
        self.full = False
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def elsewhere(self) -> str:
        """Address of the storage: another host, which gets no token."""
        return f"http://localhost:{self.server_port}/storage"


def commit_of(files):
    return hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


def by_lfs(path, size):
    return path.endswith(LARGE) or size > LARGEST_REGULAR


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

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while length := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def do_POST(self):
        body = self.body()
        self.server.asked.append(self.path)
        if self.path == "/api/validate-yaml":
            return self.answer(200, {"errors": [], "warnings": []})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.refuse(401, "Unauthorized")
        if self.path == "/api/repos/create":
            return self.create(json.loads(body))
        match = re.fullmatch(r"/(.+)\.git/info/lfs/(objects/batch|verify)", self.path)
        if match:
            asked = json.loads(body)
            return self.verify(asked) if match[2] == "verify" else self.batch(match[1], asked)
        match = re.fullmatch(r"/api/models/(.+)/(preupload|commit)/main", self.path)
        assert match, self.path
        if match[2] == "preupload":
            return self.answer(200, {"files": [mode(f) for f in json.loads(body)["files"]]})
        return self.commit(match[1], [json.loads(line) for line in body.splitlines()])

    def create(self, asked):
        owner = asked.get("organization") or "someone"
        name = f"{owner}/{asked['name']}"
        if owner == "stranger":
            return self.refuse(403, "Forbidden")
        self.server.repos.setdefault(name, {})
        return self.answer(200, {"url": f"{self.server.address}/{name}"})

    def batch(self, repo, asked):
        assert asked["operation"] == "upload" and asked["hash_algo"] == "sha256"
        told = []
        for item in asked["objects"]:
            upload = {"href": f"{self.server.elsewhere}/{item['oid']}"}
            verify = {"href": f"{self.server.address}/{repo}.git/info/lfs/verify"}
            actions = {"actions": {"upload": upload, "verify": verify}}
            told.append(item | ({} if item["oid"] in self.server.storage else actions))
        return self.answer(200, {"transfer": "basic", "objects": told})

    def do_PUT(self):
        self.server.asked.append(self.path)
        oid, data = self.path.removeprefix("/storage/"), self.body()
        if self.server.full or "Authorization" in self.headers or digest_of(data) != oid:
            return self.refuse(403, "Forbidden")
        self.server.storage[oid] = data
        return self.answer(200)

    def verify(self, asked):
        data = self.server.storage.get(asked["oid"])
        if data is None or len(data) != asked["size"]:
            return self.refuse(404, "NotFound")
        self.server.verified.add(asked["oid"])
        return self.answer(200)

    def commit(self, repo, rows):
        files = dict(self.server.repos[repo])
        for row in rows[1:]:
            path = row["value"]["path"]
            match row["key"]:
                case "file":
                    files[path] = base64.b64decode(row["value"]["content"])
                    lfs = by_lfs(path, len(files[path]))
                case "lfsFile":
                    assert row["value"]["oid"] in self.server.verified
                    files[path] = self.server.storage[row["value"]["oid"]]
                    lfs = not by_lfs(path, len(files[path]))
                case "deletedFile":
                    lfs = files.pop(path, None) is None
            if lfs:
                return self.refuse(400, "BadRequest")
        self.server.repos[repo] = files
        self.server.commits.append([(row["key"], row["value"]["path"]) for row in rows[1:]])
        where = f"{self.server.address}/{repo}/commit/{commit_of(files)}"
        return self.answer(
            200, {"commitUrl": where, "commitOid": commit_of(files), "success": True}
        )

    def do_GET(self):
        path = self.path.partition("?")[0]
        self.server.asked.append(path)
        if path.startswith("/storage/"):
            assert "Authorization" not in self.headers
            return self.answer(200, self.server.storage[path.removeprefix("/storage/")])
        match = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/(.+))?", path)
        if match:
            return self.tell(match[1], match[3], tree=match[2] == "tree")
        match = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        files = self.server.repos.get(match[1], {}) if match else {}
        if match is None or match[3] not in files:
            return self.refuse(404, "EntryNotFound")
        return self.give(match[3], files)

    do_HEAD = do_GET

    def give(self, path, files):
        data, commit = files[path], {"X-Repo-Commit": commit_of(files)}
        if not by_lfs(path, len(data)):
            tag = hashlib.sha1(data).hexdigest()
            return self.answer(200, data, commit | {"ETag": f'"{tag}"'})
        oid = digest_of(data)
        self.server.storage[oid] = data
        linked = {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(data))}
        where = {"Location": f"{self.server.elsewhere}/{oid}"}
        return self.answer(302, b"", commit | linked | where)

    def tell(self, name, revision, *, tree):
        if name not in self.server.repos:
            return self.refuse(404 if self.headers.get("Authorization") else 401, "RepoNotFound")
        files = self.server.repos[name]
        if revision not in (None, "main", commit_of(files)):
            return self.refuse(404, "RevisionNotFound")
        if tree:
            told = [
                {"type": "file", "path": path, "size": len(data), "oid": digest_of(data)[:40]}
                for path, data in files.items()
            ]
            return self.answer(200, told)
        told = {"id": name, "sha": commit_of(files), "private": False, "tags": []}
        return self.answer(200, told | {"siblings": [{"rfilename": path} for path in files]})


def mode(file):
    """What the Hub answers before a file is sent."""
    way = "lfs" if by_lfs(file["path"], file["size"]) else "regular"
    return {"path": file["path"], "uploadMode": way, "shouldIgnore": False}
