/** A build of a comparison that is looked into, and how. */
export interface AnalysedRow {
  readonly kind: 'layers' | 'accuracy' | 'slowdown'
  readonly modelId: string
  /** Layers to begin with: the evidence of a finding. */
  readonly layers?: readonly string[]
}
