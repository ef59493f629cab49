import type { ServiceLive } from '../../../../contract/service-protocol.ts'
import { Facts } from '../../../components/facts.tsx'
import { Section } from '../../../components/section.tsx'
import { formatBytes } from '../../../format/bytes.ts'
import { formatCount } from '../../../format/numbers.ts'

/** What is kept of predictions on the device. */
export function PredictionLog({ log }: { log: ServiceLive['predictionLog'] }) {
  return (
    <Section title="Prediction log" aside={log ? 'predictions.sqlite on the device' : 'off'}>
      {log ? (
        <Facts
          facts={[
            { label: 'Written', value: formatCount(log.writtenRows) },
            { label: 'Left out, device too busy', value: formatCount(log.droppedRows) },
            { label: 'File', value: formatBytes(log.fileBytes) },
          ]}
        />
      ) : (
        <span className="es-dim">
          Inputs are private data, so predictions are only kept where that was asked for when the service was deployed.
        </span>
      )}
    </Section>
  )
}
