/** The environment for programs of ours: nothing in it may change what Node loads or which token counts, and ONNX Runtime does not report to its maker. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_PATH: _path, EDGESMITH_LISTEN_FD: _fd, EDGESMITH_TOKEN: _token, ...environment } = process.env
  return { ...environment, ORT_DISABLE_TELEMETRY: '1' }
}
