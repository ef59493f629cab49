import { Loader } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import classes from './async-view.module.css'
import { ErrorNotice } from './error-notice.tsx'

interface AsyncViewProps<T> {
  readonly query: UseQueryResult<T>
  readonly children: (value: T) => ReactNode
}

/** The three states of anything that is fetched: on its way, refused, here. */
export function AsyncView<T>({ query, children }: AsyncViewProps<T>) {
  if (query.data !== undefined) return children(query.data)
  if (query.isError) {
    return (
      <div className={classes.error}>
        <ErrorNotice error={query.error} />
      </div>
    )
  }
  return (
    <div className={classes.loading} role="status" aria-label="Loading">
      <Loader size="sm" />
    </div>
  )
}
