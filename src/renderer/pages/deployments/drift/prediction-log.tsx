import { Button } from '@mantine/core'
import type { Deployment } from '../../../../contract/deployment.ts'
import type { ServiceLive } from '../../../../contract/service-protocol.ts'
import { bridge } from '../../../backend/bridge.ts'
import { useAction } from '../../../backend/use-action.ts'
import { Facts } from '../../../components/facts.tsx'
import { Section } from '../../../components/section.tsx'
import { formatBytes } from '../../../format/bytes.ts'
import { formatCount } from '../../../format/numbers.ts'

interface PredictionLogProps {
  readonly deployment: Pick<Deployment, 'id' | 'service'>
  readonly log: ServiceLive['predictionLog']
}

/** What is kept of predictions on the device. */
export function PredictionLog({ deployment, log }: PredictionLogProps) {
  const start = useAction('predictions.export', { showsError: true })
  async function save(): Promise<void> {
    const path = await bridge().chooseFile({ kind: 'save-predictions', name: `${deployment.service}-predictions.csv` })
    if (path !== null) start.mutate({ deploymentId: deployment.id, path })
  }
  return (
    <Section title="Prediction log" aside={log ? 'predictions.sqlite on the device' : 'off'}>
      {log ? (
        <>
          <Facts
            facts={[
              { label: 'Written', value: formatCount(log.writtenRows) },
              { label: 'Left out, device too busy', value: formatCount(log.droppedRows) },
              { label: 'File', value: formatBytes(log.fileBytes) },
            ]}
          />
          <Button variant="default" size="xs" mt="sm" loading={start.isPending} onClick={() => void save()} data-testid="predictions-save">
            Save as file…
          </Button>
        </>
      ) : (
        <span className="es-dim">
          Inputs are private data, so predictions are only kept where that was asked for when the service was deployed.
        </span>
      )}
    </Section>
  )
}
