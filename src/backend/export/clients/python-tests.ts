import type { ClientDescription } from './client-description.ts'
import { pythonSample } from './python-source.ts'

/** Tests of the generated client: against a small server of their own that answers what was recorded, and against the service where one is named. */
export function pythonTests(description: ClientDescription, module: string): string {
  const sendExample =
    description.fields.length > 0
      ? 'predict(request["fields"]) if "fields" in request else client.predict_inputs(request["inputs"])'
      : description.inputs.length === 1
        ? 'predict(next(iter(request["inputs"].values())))'
        : 'predict(request["inputs"])'
  const [only] = description.inputs
  const batchSample =
    only && description.inputs.length === 1 && description.fields.length === 0 ? `{${JSON.stringify(only.name)}: sample}` : 'sample'
  return `"""Tests of the client: python3 -m unittest discover -t . -s tests"""

import json
import os
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer

from ${module} import Client, InvalidInput, NotAllowed, Unavailable

EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "example.json")
TOKEN = "0123456789abcdef0123456789abcdef"

${pythonSample(description)}


def recorded():
    """The request and the answer of the model's own server, None where there is none."""
    if not os.path.exists(EXAMPLE):
        return None
    with open(EXAMPLE, encoding="utf-8") as file:
        return json.load(file)


class Server(BaseHTTPRequestHandler):
    """Answers from a list, one entry a request, and keeps what it was sent."""

    protocol_version = "HTTP/1.1"
    answers = []
    seen = []

    def _answer(self):
        length = int(self.headers.get("content-length") or 0)
        Server.seen.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
        status, body, headers = Server.answers.pop(0)
        data = json.dumps(body).encode("utf-8")
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("x-request-id", "request-7")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _answer

    def log_message(self, *_):
        pass


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.server = HTTPServer(("127.0.0.1", 0), Server)
        Server.answers = []
        Server.seen = []
        self.pauses = []
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.client = Client("http://127.0.0.1:%d" % self.server.server_port, token=TOKEN, sleep=self.pauses.append)

    def tearDown(self):
        self.client.close()
        self.server.shutdown()
        self.server.server_close()

    def test_sends_the_token_and_keeps_the_connection(self):
        Server.answers = [(200, {"status": "ok"}, {}), (200, {"ready": True}, {})]
        self.assertEqual(self.client.health(), {"status": "ok"})
        self.assertTrue(self.client.ready())
        self.assertEqual([path for _, path, _, _ in Server.seen], ["/health", "/ready"])
        for _, _, headers, _ in Server.seen:
            self.assertEqual({k.lower(): v for k, v in headers.items()}["authorization"], "Bearer " + TOKEN)

    @unittest.skipIf(recorded() is None, "no answer was recorded for this model")
    def test_reads_the_recorded_answer(self):
        example = recorded()
        request, answer = example["request"], example["answer"]
        client = self.client
        Server.answers = [(200, answer, {})]
        prediction = client.${sendExample}
        self.assertEqual(prediction.outputs, answer["outputs"])
        self.assertEqual(prediction.version, answer["version"])
        self.assertEqual(prediction.request_id, "request-7")
        self.assertEqual(prediction.class_index, (answer.get("prediction") or {}).get("class"))
        method, path, _, body = Server.seen[0]
        self.assertEqual((method, path), ("POST", "/predict"))
        self.assertEqual(len(json.loads(body)), 1)

    def test_sends_batches_in_pieces(self):
        result = {"outputs": {"y": 1}}
        Server.answers = [(200, {"version": "v", "results": [result] * 2}, {}), (200, {"version": "v", "results": [result]}, {})]
        predictions = self.client.predict_batch([${batchSample}] * 3, chunk=2)
        self.assertEqual(len(predictions), 3)
        self.assertEqual([path for _, path, _, _ in Server.seen], ["/predict/batch"] * 2)
        self.assertEqual(predictions[2].outputs, {"y": 1})

    def test_asks_again_when_told_to_wait(self):
        busy = {"error": {"code": "OVERLOADED", "message": "busy"}}
        Server.answers = [(503, busy, {"retry-after": "2"}), (429, busy, {}), (200, {"status": "ok"}, {})]
        self.assertEqual(self.client.health(), {"status": "ok"})
        self.assertEqual(self.pauses, [2.0, 0.2])

    def test_gives_up(self):
        Server.answers = [(503, {"error": {"code": "NOT_READY", "message": "loading"}}, {})] * 4
        with self.assertRaises(Unavailable) as caught:
            self.client.health()
        self.assertEqual((caught.exception.code, caught.exception.status), ("NOT_READY", 503))
        self.assertEqual(len(self.pauses), 3)

    def test_tells_wrong_requests_from_a_wrong_token(self):
        Server.answers = [
            (422, {"error": {"code": "OUT_OF_RANGE", "message": "age must be at most 120", "hint": "0 to 120"}}, {}),
            (401, {"error": {"code": "UNAUTHORIZED", "message": "no token"}}, {}),
        ]
        with self.assertRaises(InvalidInput) as caught:
            self.client.predict(sample)
        self.assertEqual((caught.exception.code, caught.exception.hint), ("OUT_OF_RANGE", "0 to 120"))
        self.assertEqual(caught.exception.request_id, "request-7")
        with self.assertRaises(NotAllowed):
            self.client.health()

    def test_refuses_what_is_no_json(self):
        with self.assertRaises(InvalidInput):
            self.client.predict(float("nan"))
        self.assertEqual(Server.seen, [])

    def test_nobody_listens(self):
        self.server.shutdown()
        self.server.server_close()
        client = Client("http://127.0.0.1:%d" % self.server.server_port, retries=1, sleep=self.pauses.append)
        with self.assertRaises(Unavailable) as caught:
            client.health()
        self.assertEqual(caught.exception.code, "NO_ANSWER")
        self.assertEqual(len(self.pauses), 1)


@unittest.skipUnless(os.environ.get("EDGESMITH_URL"), "EDGESMITH_URL names no service")
class ServiceTest(unittest.TestCase):
    def test_the_service_answers(self):
        with Client() as client:
            self.assertTrue(client.ready())
            self.assertEqual(client.health()["model_loaded"], True)
            self.assertIn("edgesmith_", client.metrics())
            example = recorded()
            if example is None:
                return
            request, answer = example["request"], example["answer"]
            prediction = client.${sendExample}
            self.assertEqual(prediction.outputs.keys(), answer["outputs"].keys())
            self.assertEqual(prediction.class_index, (answer.get("prediction") or {}).get("class"))


if __name__ == "__main__":
    unittest.main()
`
}
