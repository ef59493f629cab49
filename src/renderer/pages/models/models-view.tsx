import type { UseQueryResult } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import type { Model } from '../../../contract/model.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { arrangeTree } from '../../components/sort-tree.ts'
import { SplitView } from '../../components/split-view.tsx'
import { ModelDetail } from './model-detail.tsx'
import { filterModels, modelKey, parentModelKey } from './model-tree.ts'
import { ModelsEmpty } from './models-empty.tsx'
import { ModelsTable } from './models-table.tsx'

interface ModelsViewProps {
  readonly query: UseQueryResult<Model[]>
  readonly filter: string
  readonly selectedId: string | null
  readonly onImport: () => Promise<void>
}

/** The table of models beside the details of the selected one. */
export function ModelsView({ query, filter, selectedId, onImport }: ModelsViewProps) {
  const [, navigate] = useLocation()
  return (
    <AsyncView query={query}>
      {(models) => {
        if (models.length === 0) return <ModelsEmpty onImport={onImport} />
        const shown = arrangeTree(filterModels(models, filter), modelKey, parentModelKey)
        const selected = models.find(({ id }) => id === selectedId) ?? shown[0]
        return (
          <SplitView
            name="models"
            listSize={56}
            list={
              <ModelsTable models={models} shown={shown} selectedId={selected?.id ?? null} onSelect={(id) => navigate(`/models/${id}`)} />
            }
            detail={selected ? <ModelDetail key={selected.id} model={selected} models={models} /> : null}
          />
        )
      }}
    </AsyncView>
  )
}
