import { Button } from '@mantine/core'
import { IconBug } from '@tabler/icons-react'
import { Component, type ReactNode } from 'react'
import { EmptyPage } from '../components/empty-page.tsx'
import { ErrorNotice } from '../components/error-notice.tsx'

interface PageBoundaryProps {
  readonly children: ReactNode
}

/** Keeps the window usable when a page fails to draw. Give it the address as `key`, so that going elsewhere starts afresh. */
export class PageBoundary extends Component<PageBoundaryProps, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: null }

  static getDerivedStateFromError(error: unknown): { readonly error: unknown } {
    return { error }
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children
    return (
      <EmptyPage
        Icon={IconBug}
        title="This page could not be drawn"
        actions={<Button onClick={() => this.setState({ error: null })}>Try again</Button>}
      >
        <ErrorNotice error={this.state.error} />
      </EmptyPage>
    )
  }
}
