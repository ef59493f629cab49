"""Asks a server of the Open Inference Protocol with Triton's own client, every kind of call it has that is not an extension of Triton's alone.

    pip install "tritonclient[http]==2.73.0" numpy
    python bench/serving/v2_client.py HOST:PORT TOKEN MODEL

The model is y = x * 2 for float32 [N, 3]. Prints one line of JSON for each check and ends with 1 when one failed.
"""
import json
import sys

import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

url, token, model = sys.argv[1:4]
headers = {"Authorization": f"Bearer {token}"}
client = http.InferenceServerClient(url=url, concurrency=4)
failed = 0


def check(name, passed, found):
    global failed
    failed += not passed
    print(json.dumps({"check": name, "passed": bool(passed), "found": found}))


def tensor(values, binary):
    values = np.asarray(values, dtype=np.float32)
    made = http.InferInput("x", list(values.shape), "FP32")
    made.set_data_from_numpy(values, binary_data=binary)
    return made


check("server live", client.is_server_live(headers=headers), None)
check("server ready", client.is_server_ready(headers=headers), None)
check("model ready", client.is_model_ready(model, headers=headers), None)
server = client.get_server_metadata(headers=headers)
check("server metadata", "name" in server and "version" in server and "binary_tensor_data" in server["extensions"], server)
metadata = client.get_model_metadata(model, headers=headers)
check(
    "model metadata",
    metadata["name"] == model and metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}],
    metadata,
)
version = metadata["versions"][0]
check("model ready, with version", client.is_model_ready(model, version, headers=headers), version)

rows = [[1, 2, 3], [-4, 5.5, 0]]
wanted = np.asarray(rows, dtype=np.float32) * 2
for binary_in in (False, True):
    for binary_out in (False, True, None):
        outputs = None if binary_out is None else [http.InferRequestedOutput("y", binary_data=binary_out)]
        answer = client.infer(
            model, [tensor(rows, binary_in)], model_version=version, outputs=outputs, request_id="r 1", headers=headers
        )
        found = answer.as_numpy("y")
        said = answer.get_response()
        name = f"infer, binary in {binary_in}, binary out {binary_out}"
        check(name, np.array_equal(found, wanted) and said["id"] == "r 1" and said["model_name"] == model, found.tolist())

pending = [client.async_infer(model, [tensor([[n, 0, 0]], True)], headers=headers) for n in range(32)]
values = [answer.get_result().as_numpy("y")[0, 0] for answer in pending]
check("32 asynchronous requests", values == [2.0 * n for n in range(32)], None)

for name, wrong in {
    "unknown model": lambda: client.infer("nothing", [tensor(rows, True)], headers=headers),
    "unknown version": lambda: client.infer(model, [tensor(rows, True)], model_version="77", headers=headers),
    "wrong shape": lambda: client.infer(model, [tensor([[1, 2]], True)], headers=headers),
    "no token": lambda: client.infer(model, [tensor(rows, True)]),
}.items():
    try:
        wrong()
        check(name, False, "it was answered")
    except InferenceServerException as error:
        check(name, True, f"{error.status()}: {error.message()}"[:200])
compressed = client.infer(model, [tensor(rows, True)], headers=headers, response_compression_algorithm="gzip")
check("an answer that may be compressed", np.array_equal(compressed.as_numpy("y"), wanted), None)
sys.exit(1 if failed else 0)
