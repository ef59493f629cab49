import type { Exporter } from '../exporter.ts'
import { type ClientDescription, commentText, describeClient } from './client-description.ts'
import { pythonNames, pythonSample, pythonSource } from './python-source.ts'
import { pythonTests } from './python-tests.ts'

/** A Python package that asks the service: 3.8 or later, standard library only, with an example and tests of its own. */
export const pythonClient: Exporter = {
  async write(context, folder) {
    const description = describeClient(context)
    const { service, edgesmithVersion, served } = context
    const { module, distribution } = pythonNames(service)
    const title = `Client of the service ${commentText(service)}`
    await folder.text(`${module}/__init__.py`, `"""${title}."""\n\nfrom .client import *  # noqa: F401,F403\n`)
    await folder.text(`${module}/client.py`, pythonSource(description, edgesmithVersion))
    await folder.text(`${module}/py.typed`, '')
    await folder.text('pyproject.toml', projectFile(title, module, distribution))
    await folder.text('examples/predict.py', exampleProgram(description, module))
    await folder.text('tests/__init__.py', '')
    await folder.text('tests/test_client.py', pythonTests(description, module))
    if (description.example) await folder.text('tests/example.json', `${JSON.stringify(description.example, null, 1)}\n`)
    await folder.text('openapi.json', `${JSON.stringify(served.openApi, null, 2)}\n`)
    await folder.text('README.md', readme(description, title, module, distribution))
    return [
      'Its tests run with: python3 -m unittest discover -t . -s tests (against the service itself where EDGESMITH_URL and EDGESMITH_TOKEN are set)',
      ...(description.example ? [] : ['The model takes no made-up sample: the tests have no recorded answer to compare with.']),
    ]
  },
}

function projectFile(title: string, module: string, distribution: string): string {
  return `[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[project]
name = "${distribution}"
version = "1.0.0"
description = "${title}"
readme = "README.md"
requires-python = ">=3.8"
dependencies = []

[tool.setuptools]
packages = ["${module}"]

[tool.setuptools.package-data]
${module} = ["py.typed"]
`
}

function exampleProgram(description: ClientDescription, module: string): string {
  return `"""Asks the service for one prediction: EDGESMITH_URL=http://... EDGESMITH_TOKEN=... python3 examples/predict.py"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from ${module} import Client, ServiceError  # noqa: E402

${pythonSample(description)}

with Client() as client:
    try:
        prediction = client.predict(sample)
    except ServiceError as error:
        print(error.code + ": " + str(error), file=sys.stderr)
        sys.exit(1)
    if prediction.class_index is not None:
        print("class", prediction.class_index, prediction.label, "with probability", prediction.confidence)
    print("outputs", prediction.outputs)
    print("release", prediction.version, "in", prediction.latency_ms, "ms")
`
}

function readme({ modelName, takesImages }: ClientDescription, title: string, module: string, distribution: string): string {
  return `# ${title}

Model: ${commentText(modelName)}. Python 3.8 or later, nothing else. Copy the folder \`${module}\` into your program, or \`pip install .\` (as ${distribution}).

\`\`\`python
from ${module} import Client

with Client("http://127.0.0.1:8080", token="...") as client:
    prediction = client.predict(sample)        # see examples/predict.py for a sample
    many = client.predict_batch([sample] * 100)
${takesImages ? '    seen = client.predict_image("photo.jpg")\n' : ''}    client.health(), client.ready(), client.model_info(), client.metrics()
\`\`\`

Address and token may also come from EDGESMITH_URL and EDGESMITH_TOKEN. A service on a board listens on its own loopback: reach it through an SSH tunnel (\`ssh -L 8080:127.0.0.1:PORT user@board\`).

Errors are \`InvalidInput\` (wrong request; \`code\`, \`hint\`), \`NotAllowed\` (token) and \`Unavailable\` (worth another try), all of them \`ServiceError\`. Requests that are not
answered, and answers 429 and 503, are repeated up to \`retries\` times. A \`Client\` belongs to one thread.

Tests: \`python3 -m unittest discover -t . -s tests\`. The API itself is described in \`openapi.json\`.
`
}
