import { Button } from '@mantine/core'
import { IconBox } from '@tabler/icons-react'
import { useAction } from '../../backend/use-action.ts'
import { EmptyPage } from '../../components/empty-page.tsx'

/** The first thing a new user sees. */
export function ModelsEmpty({ onImport }: { onImport: () => Promise<void> }) {
  const samples = useAction('samples.import')
  return (
    <EmptyPage
      Icon={IconBox}
      title="No models yet"
      testId="models-empty"
      actions={
        <>
          <Button onClick={() => void onImport()} size="sm">
            Import a model
          </Button>
          <Button variant="default" size="sm" onClick={() => samples.mutate({})} loading={samples.isPending} data-testid="import-samples">
            Use the sample models
          </Button>
        </>
      }
    >
      Import an ONNX model, or drop the file anywhere on this window; Edgesmith reads and checks it and keeps its own copy. The sample
      models come with labelled images, so you can compress one and see accuracy and latency side by side within a minute.
    </EmptyPage>
  )
}
