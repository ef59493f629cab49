import { runInNewContext } from 'node:vm'

/** An element as far as the page uses one. */
export class FakeElement {
  readonly tag: string
  className = ''
  value = ''
  children: (FakeElement | string)[] = []
  readonly attributes: Record<string, string> = {}
  private readonly listeners: ((event: { preventDefault(): void }) => void)[] = []

  constructor(tag: string) {
    this.tag = tag
  }

  get textContent(): string {
    return this.children.map((child) => (typeof child === 'string' ? child : child.textContent)).join(' ')
  }
  set textContent(text: string) {
    this.children = [text]
  }
  append(...parts: (FakeElement | string)[]): void {
    this.children.push(...parts)
  }
  replaceChildren(...parts: (FakeElement | string)[]): void {
    this.children = parts
  }
  setAttribute(name: string, value: string): void {
    this.attributes[name] = value
  }
  addEventListener(_event: string, listener: (event: { preventDefault(): void }) => void): void {
    this.listeners.push(listener)
  }
  submit(): void {
    for (const listener of this.listeners) listener({ preventDefault: () => {} })
  }
  all(tag: string): FakeElement[] {
    const elements = this.children.filter((child) => typeof child !== 'string')
    return elements.flatMap((child) => [...(child.tag === tag ? [child] : []), ...child.all(tag)])
  }
}

/** Runs the page's script as it was sent, against the service. */
export function openPage(script: string, port: number) {
  const elements = new Map<string, FakeElement>()
  const kept = new Map<string, string>()
  const byId = (id: string) => {
    const element = elements.get(id) ?? new FakeElement(id)
    elements.set(id, element)
    return element
  }
  runInNewContext(script, {
    document: { createElement: (tag: string) => new FakeElement(tag), getElementById: byId },
    fetch: (path: string, options: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, options),
    sessionStorage: { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) },
  })
  return { byId, kept }
}
