import type { TensorRtRun } from '../../../contract/measurement.ts'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatMs } from '../../format/durations.ts'
import { formatSignificant, NOTHING } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'

/** The engine that was timed, and the parts of its latency. */
export function RunTensorRt({ run }: { run: TensorRtRun }) {
  const { version, gpu, jetPack, trtexec, options, engineBytes, buildSeconds, computeMs, copyInMs, copyOutMs } = run
  const ms = (value: number | null) => (value === null ? NOTHING : formatMs(value))
  return (
    <Section title="TensorRT" aside={`${plainText(version, 40)}, timed by trtexec`}>
      <div data-testid="run-tensorrt" data-build-seconds={buildSeconds ?? ''}>
        <Facts
          facts={[
            { label: 'GPU', value: gpu === null ? 'not readable' : plainText(gpu, 80) },
            { label: 'JetPack', value: jetPack === null ? NOTHING : plainText(jetPack, 40) },
            { label: 'Engine', value: formatBytes(engineBytes) },
            { label: 'Built', value: buildSeconds === null ? 'before, and kept on the device' : `in ${formatSignificant(buildSeconds)} s` },
            { label: 'In the GPU, median', value: ms(computeMs) },
            { label: 'Copies in and out', value: `${ms(copyInMs)} and ${ms(copyOutMs)}` },
            { label: 'Program', value: <span className="es-mono es-wrap">{plainText(trtexec, 200)}</span>, wide: true },
            { label: 'Options', value: <span className="es-mono es-wrap">{plainText(options.join(' '), 2000)}</span>, wide: true },
          ]}
        />
      </div>
    </Section>
  )
}
