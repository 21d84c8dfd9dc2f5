"""A hosted service of embeddings on this machine, and a client of it that needs no library."""

import json
import os
import threading
import time
import types
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

WIDTH = 1536  # of text-embedding-3-small


def full_rows(texts, width=WIDTH):
    hashing = HashingVectorizer(n_features=width, analyzer="char_wb", ngram_range=(3, 3))
    return hashing.transform(texts).toarray()


class Service(ThreadingHTTPServer):
    """Embeds texts as OpenAI's service does, cut to `dimensions` and normalised where asked for.

    Requests as Cohere's are answered, too.

    Attributes
    ----------
    width : int
        Of full rows.
    faults : list
        What happens to the next requests, first to last, before all is well: a status; "slow" for
        an answer that does not come in time; None for a good one.
    retry_after : str
        Seconds, sent with status 429.
    paid : list of str
        Texts of the requests that were answered.
    requests : list of dict
        All requests, refused ones too.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.faults, self.paid, self.requests = [], [], []
        self.retry_after, self.width = "0.001", WIDTH
        self.released = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        service = self.server
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        service.requests.append(asked | {"key": self.headers["Authorization"]})
        fault = service.faults.pop(0) if service.faults else None
        if fault == "slow":
            service.released.wait(5)
        elif fault:
            self.answer(fault, {"error": {"message": "the service is away"}})
        else:
            texts = asked.get("input") or asked["texts"]
            service.paid += texts
            rows = full_rows(texts, service.width)
            if "dimensions" in asked:
                rows = normalize(rows[:, : asked["dimensions"]])
            listed = np.round(rows, 7).tolist()
            if self.path.endswith("/embed"):  # Cohere's
                answer = {"id": "1", "response_type": "embeddings_floats", "embeddings": listed}
                self.answer(200, answer | {"texts": texts})
                return
            data = [
                {"object": "embedding", "index": i, "embedding": row}
                for i, row in enumerate(listed)
            ]
            usage = {"prompt_tokens": 0, "total_tokens": 0}
            answer = {"object": "list", "model": asked["model"], "data": data, "usage": usage}
            self.answer(200, answer)

    def answer(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", self.server.retry_after)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Leave the terminal alone."""


class OpenAI:
    """What BERTopic's OpenAIBackend uses of the library's client, retries included."""

    def __init__(self, *, api_key=None, base_url=None, timeout=600, max_retries=2):
        self.api_key = api_key or os.environ["OPENAI_API_KEY"]
        self.base_url = base_url or os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1")
        self.timeout, self.max_retries = timeout, max_retries
        self.embeddings = types.SimpleNamespace(create=self._create)

    def _create(self, **asked):
        request = urllib.request.Request(
            f"{self.base_url}/embeddings",
            json.dumps(asked).encode(),
            {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"},
        )
        for left in reversed(range(self.max_retries + 1)):
            try:
                with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                    data = json.loads(answer.read())["data"]
                break
            except (urllib.error.URLError, TimeoutError) as error:
                if not left:
                    raise
                time.sleep(float(getattr(error, "headers", {}).get("Retry-After", 0)))
        return types.SimpleNamespace(data=[types.SimpleNamespace(**row) for row in data])
