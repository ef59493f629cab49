import type { Dataset } from '../../../contract/dataset.ts'

/**
 * Datasets that should share no sample with this one, by their ids: other parts of the same dataset. A dataset and its own parts are left
 * out, because they share all of them on purpose.
 */
export function relativesOf(dataset: Dataset, datasets: readonly Dataset[]): string[] {
  if (dataset.parentId === null) return []
  return datasets.filter(({ id, parentId }) => id !== dataset.id && parentId === dataset.parentId).map(({ id }) => id)
}
