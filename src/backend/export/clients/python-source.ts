import { type ClientDescription, type ClientPort, commentText, exampleSample, identifier, portForm } from './client-description.ts'

/** A Python literal. JSON's strings, numbers and lists are Python's as well; names of constants differ. */
function literal(value: string | number | null | boolean | readonly string[]): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return JSON.stringify(value)
}

/** Type of one value in an annotation. */
function scalarType(type: string): string {
  if (type === 'string') return 'str'
  if (type === 'bool') return 'bool'
  return type.startsWith('float') ? 'float' : 'int'
}

function valueType({ type, shape }: ClientPort): string {
  return shape.reduce<string>((inner) => `List[${inner}]`, scalarType(type))
}

function typedDictionary(name: string, doc: string, entries: readonly (readonly [string, string, string])[]): string {
  const lines = entries.map(
    ([key, type, comment]) => `        ${literal(key)}: ${type},${comment === '' ? '' : `  # ${commentText(comment)}`}`,
  )
  return `# ${doc}\n${name} = TypedDict(\n    ${literal(name)},\n    {\n${lines.join('\n')}\n    },\n)\n`
}

function range({ min, max }: { readonly min?: number | null | undefined; readonly max?: number | null | undefined }): string {
  if (min == null && max == null) return ''
  if (min == null) return `at most ${max}`
  return max == null ? `at least ${min}` : `${min} to ${max}`
}

/** The module of a Python client: 3.8 or later, standard library only. */
export function pythonSource(description: ClientDescription, version: string): string {
  const { service, modelName, modelSha256, inputs, outputs, embedding, labels, fields, takesImages, batchLimit } = description
  const [only] = inputs
  const types = [
    typedDictionary(
      'Inputs',
      'Values of one sample by input, without the batch dimension.',
      inputs.map((port) => [port.name, valueType(port), portForm(port)]),
    ),
    typedDictionary(
      'Outputs',
      'Answers for one sample by output.',
      outputs.map((port) => [port.name, valueType(port), portForm(port)]),
    ),
    ...(fields.length > 0
      ? [
          typedDictionary(
            'Fields',
            'Values of one sample by name.',
            fields.map((field) => [field.name, 'float', range(field)]),
          ),
        ]
      : []),
  ]
  const sampleType = [...(fields.length > 0 ? ['Fields'] : []), 'Inputs'].join(' | ')
  return `"""Client of the service ${commentText(service)}: model "${commentText(modelName)}".

Made by Edgesmith ${version} from model ${modelSha256.slice(0, 12)}. Python 3.8 or later, standard library only.

    with Client("http://127.0.0.1:8080", token="...") as client:
        print(client.predict(...))
"""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Tuple, Type, TypedDict

__all__ = ["Client", "Prediction", "ServiceError", "InvalidInput", "NotAllowed", "Unavailable", "Inputs", "Outputs"${fields.length > 0 ? ', "Fields"' : ''}]

SERVICE = ${literal(service)}
MODEL = ${literal(modelName)}
MODEL_SHA256 = ${literal(modelSha256)}
# Names of the classes by index.
LABELS: Optional[List[str]] = ${literal(labels)}
# Where the service is when nothing else is said.
DEFAULT_URL = "http://127.0.0.1:8080"

${types.join('\n')}

class ServiceError(Exception):
    """The service refused or failed.

    \`\`code\`\` is the service's own word for it, \`\`status\`\` the HTTP status (0 when there was no answer).
    """

    def __init__(self, code: str, message: str, status: int = 0, hint: Optional[str] = None, request_id: Optional[str] = None) -> None:
        super().__init__(message if hint is None else message + " " + hint)
        self.code = code
        self.message = message
        self.status = status
        self.hint = hint
        self.request_id = request_id


class InvalidInput(ServiceError):
    """The request is wrong: shape, type, a field out of its range. Asking again does not help."""


class NotAllowed(ServiceError):
    """The token is missing or wrong."""


class Unavailable(ServiceError):
    """Not reachable, not ready, asked too often, or too late. Asking again may help."""


@dataclass(frozen=True)
class Prediction:
    """The answer for one sample."""

    outputs: Outputs
    """Index of the most likely class; None for a model that is no classifier."""
    class_index: Optional[int] = None
    label: Optional[str] = None
    """Probability of that class, 0 to 1."""
    confidence: Optional[float] = None
    embedding: Any = None
    """The release that answered, how long the service took, and the id under which its log knows the request."""
    version: str = ""
    latency_ms: float = 0.0
    request_id: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


class Client:
    """Asks the service over one kept connection. Not for several threads at once: give each its own.

    url: where the service is; default: EDGESMITH_URL, else ${'`'}${'`'}DEFAULT_URL${'`'}${'`'}.
    token: default: EDGESMITH_TOKEN.
    timeout: seconds for one answer.
    retries: how often a request is repeated that was not answered, or refused for now (429, 503).
    """

    def __init__(
        self,
        url: Optional[str] = None,
        token: Optional[str] = None,
        timeout: float = 30.0,
        retries: int = 3,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parsed = urllib.parse.urlsplit(url or os.environ.get("EDGESMITH_URL") or DEFAULT_URL)
        if parsed.scheme not in ("http", "https") or not parsed.hostname:
            raise ValueError("the address of the service must begin with http:// or https://")
        self._scheme = parsed.scheme
        self._host = parsed.hostname
        self._port = parsed.port
        self._base = parsed.path.rstrip("/")
        self._token = token if token is not None else os.environ.get("EDGESMITH_TOKEN", "")
        self._timeout = timeout
        self._retries = retries
        self._sleep = sleep
        self._connection: Optional[http.client.HTTPConnection] = None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; the next request opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def health(self) -> Dict[str, Any]:
        """What the service is: \`\`status\`\`, \`\`model_loaded\`\`, \`\`version\`\`, \`\`uptime_seconds\`\`."""
        return self._json("GET", "/health")[0]

    def ready(self) -> bool:
        """Whether it can answer now."""
        try:
            return bool(self._json("GET", "/ready", retry=False)[0].get("ready"))
        except Unavailable:
            return False

    def model_info(self) -> Dict[str, Any]:
        """Inputs, outputs, labels, limits, versions."""
        return self._json("GET", "/model_info")[0]

    def metrics(self) -> str:
        """The service's metrics in the text format of Prometheus."""
        return self._request("GET", "/metrics", None, None, True)[1].decode("utf-8")
${
  fields.length > 0
    ? `
    def predict(self, fields: Fields${embedding ? ', *, embedding: bool = False' : ''}) -> Prediction:
        """Predicts one sample, given by the names of its values."""
        return self._predict({"fields": fields}${embedding ? ', embedding' : ''})

    def predict_inputs(self, inputs: Inputs${embedding ? ', *, embedding: bool = False' : ''}) -> Prediction:
        """Predicts one sample, given by input."""
        return self._predict({"inputs": inputs}${embedding ? ', embedding' : ''})
`
    : only && inputs.length === 1
      ? `
    def predict(self, values: ${valueType(only)}${embedding ? ', *, embedding: bool = False' : ''}) -> Prediction:
        """Predicts one sample: ${commentText(portForm(only))}."""
        return self._predict({"input": values}${embedding ? ', embedding' : ''})
`
      : `
    def predict(self, inputs: Inputs${embedding ? ', *, embedding: bool = False' : ''}) -> Prediction:
        """Predicts one sample."""
        return self._predict({"inputs": inputs}${embedding ? ', embedding' : ''})
`
}${
  takesImages
    ? `
    def predict_image(self, image: "bytes | str | os.PathLike[str]") -> Prediction:
        """Predicts an image file (JPEG, PNG, WebP), given by its path or its bytes; the service makes it fit the model."""
        if isinstance(image, (bytes, bytearray)):
            data = bytes(image)
        else:
            with open(image, "rb") as file:
                data = file.read()
        answer, request_id = self._json("POST", "/predict", data, _image_type(data))
        return _prediction(answer, answer, request_id)
`
    : ''
}
    def predict_batch(self, samples: "Iterable[${sampleType}]", *${embedding ? ', embedding: bool = False' : ''}, chunk: int = ${Math.min(256, batchLimit)}) -> List[Prediction]:
        """Predicts many samples, \`\`chunk\`\` of them in one request."""
        predictions: List[Prediction] = []
        waiting: List[Any] = []

        def send() -> None:
            key = ${fields.length > 0 ? '"fields" if set(waiting[0]) == _FIELD_NAMES else "inputs"' : '"inputs"'}
            body: Dict[str, Any] = {key: waiting}
${embedding ? '            if embedding:\n                body["embedding"] = True\n' : ''}            answer, request_id = self._json("POST", "/predict/batch", _encode(body))
            predictions.extend(_prediction(result, answer, request_id) for result in answer["results"])

        for sample in samples:
            waiting.append(sample)
            if len(waiting) == chunk:
                send()
                waiting = []
        if waiting:
            send()
        return predictions

    def _predict(self, body: Dict[str, Any]${embedding ? ', embedding: bool' : ''}) -> Prediction:
${embedding ? '        if embedding:\n            body["embedding"] = True\n' : ''}        answer, request_id = self._json("POST", "/predict", _encode(body))
        return _prediction(answer, answer, request_id)

    def _json(
        self, method: str, path: str, body: Optional[bytes] = None, content_type: str = "application/json", retry: bool = True
    ) -> Tuple[Dict[str, Any], str]:
        status, data, request_id = self._request(method, path, body, content_type, retry)
        try:
            answer = json.loads(data)
        except ValueError:
            raise Unavailable("NOT_THE_SERVICE", "The answer is not JSON: is this the address of the service?", status) from None
        return answer, request_id

    def _request(
        self, method: str, path: str, body: Optional[bytes], content_type: Optional[str], retry: bool
    ) -> Tuple[int, bytes, str]:
        attempts = self._retries + 1 if retry else 1
        for attempt in range(attempts):
            pause = min(0.1 * 2**attempt, 5.0)
            try:
                status, data, headers = self._once(method, path, body, content_type)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if attempt + 1 == attempts:
                    raise Unavailable("NO_ANSWER", "The service did not answer: " + (str(error) or type(error).__name__)) from error
                self._sleep(pause)
                continue
            request_id = headers.get("x-request-id", "")
            if status < 400:
                return status, data, request_id
            if status not in (429, 503) or attempt + 1 == attempts:
                raise _error(status, data, request_id)
            try:
                asked = float(headers.get("retry-after", ""))
            except ValueError:
                asked = 0.0
            self._sleep(min(max(pause, asked), 30.0))
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, body: Optional[bytes], content_type: Optional[str]) -> Tuple[int, bytes, Dict[str, str]]:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._scheme == "https" else http.client.HTTPConnection
            self._connection = kind(self._host, self._port, timeout=self._timeout)
        headers = {"accept": "application/json"}
        if self._token:
            headers["authorization"] = "Bearer " + self._token
        if body is not None and content_type is not None:
            headers["content-type"] = content_type
        self._connection.request(method, self._base + path, body=body, headers=headers)
        response = self._connection.getresponse()
        data = response.read()
        found = {name.lower(): value for name, value in response.getheaders()}
        if found.get("connection", "").lower() == "close":
            self.close()
        return response.status, data, found

${fields.length > 0 ? `\n_FIELD_NAMES = {${fields.map(({ name }) => literal(name)).join(', ')}}\n\n` : ''}
def _encode(body: Dict[str, Any]) -> bytes:
    # NaN and infinity are no JSON, and no values the service takes.
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":")).encode("utf-8")
    except ValueError as error:
        raise InvalidInput("NOT_FINITE", "NaN and infinity cannot be sent: " + str(error)) from None

${
  takesImages
    ? `
def _image_type(data: bytes) -> str:
    if data[:3] == b"\\xff\\xd8\\xff":
        return "image/jpeg"
    if data[:8] == b"\\x89PNG\\r\\n\\x1a\\n":
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise InvalidInput("IMAGE_UNKNOWN", "Not a JPEG, PNG or WebP image.")

`
    : ''
}
def _prediction(result: Mapping[str, Any], answer: Mapping[str, Any], request_id: str) -> Prediction:
    best = result.get("prediction") or {}
    return Prediction(
        outputs=result["outputs"],
        class_index=best.get("class"),
        label=best.get("label"),
        confidence=best.get("confidence"),
        embedding=result.get("embedding"),
        version=answer.get("version", ""),
        latency_ms=answer.get("latency_ms", 0.0),
        request_id=request_id,
        raw=result,
    )


def _error(status: int, data: bytes, request_id: str) -> ServiceError:
    try:
        said = json.loads(data)["error"]
        code, message, hint = str(said["code"]), str(said["message"]), said.get("hint")
    except (ValueError, KeyError, TypeError):
        code, message, hint = "HTTP_" + str(status), "The service answered with status " + str(status) + ".", None
    kind: Type[ServiceError]
    if status in (401, 403):
        kind = NotAllowed
    elif status in (408, 429) or status >= 500:
        kind = Unavailable
    else:
        kind = InvalidInput
    return kind(code, message, status, hint, request_id)
`
}

/** Python that makes the sample of the examples. */
export function pythonSample(description: ClientDescription): string {
  const sample = exampleSample(description)
  if (sample !== undefined) return `sample = ${pythonValue(sample)}`
  const { inputs } = description
  const zeros = (port: ClientPort) => {
    const zero = port.type === 'string' ? '""' : port.type === 'bool' ? 'False' : port.type.startsWith('float') ? '0.0' : '0'
    return port.shape.reduceRight<string>((inner, size) => `[${inner} for _ in range(${size ?? 1})]`, zero)
  }
  const [only] = inputs
  if (only && inputs.length === 1) return `sample = ${zeros(only)}`
  return `sample = {\n${inputs.map((port) => `    ${literal(port.name)}: ${zeros(port)},`).join('\n')}\n}`
}

/** A JSON value as a Python expression. */
function pythonValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{\n${Object.entries(value)
      .map(([key, inner]) => `    ${literal(key)}: ${pythonValue(inner)},`)
      .join('\n')}\n}`
  }
  return literal(value as string | number | boolean | null)
}

/** Names of the package: as it is imported, and as it is installed. */
export function pythonNames(service: string): { readonly module: string; readonly distribution: string } {
  return { module: `${identifier(service, '_')}_client`, distribution: `${identifier(service, '-')}-client` }
}
