import { escapeHtml } from './markup.js';

/**
 * As much of a browser's document as Observable Plot draws into: elements with attributes, children and texts. All of linkedom or
 * jsdom would be larger than Plot itself.
 */
class SvgNode {
  childNodes: SvgNode[] = [];
  parentNode: SvgNode | null = null;
  private readonly attributes = new Map<string, string>();
  private readonly rules = new Map<string, string>();
  readonly style = { setProperty: (name: string, value: string) => void this.rules.set(name, value) };

  constructor(
    readonly ownerDocument: SvgDocument,
    readonly name: string,
    readonly namespaceURI: string,
    private readonly text = '',
  ) {}

  setAttribute(name: string, value: unknown): void {
    this.attributes.set(name, String(value));
  }

  setAttributeNS(_: string, name: string, value: unknown): void {
    this.setAttribute(name, value);
  }

  getAttribute(name: string): string | null {
    return this.attributes.get(name) ?? null;
  }

  hasAttribute(name: string): boolean {
    return this.attributes.has(name);
  }

  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }

  appendChild(child: SvgNode): SvgNode {
    return this.insertBefore(child, null);
  }

  append(...children: (SvgNode | string)[]): void {
    for (const child of children) {
      this.appendChild(typeof child === 'string' ? this.ownerDocument.createTextNode(child) : child);
    }
  }

  insertBefore(child: SvgNode, before: SvgNode | null): SvgNode {
    const { parentNode: old } = child;
    if (old) old.childNodes = old.childNodes.filter((other) => other !== child);
    const at = before ? this.childNodes.indexOf(before) : this.childNodes.length;
    this.childNodes.splice(at, 0, child);
    child.parentNode = this;
    return child;
  }

  /** Elements alone. */
  get children(): SvgNode[] {
    return this.childNodes.filter(({ name }) => name !== '#text');
  }

  get firstChild(): SvgNode | null {
    return this.childNodes[0] ?? null;
  }

  set textContent(text: string) {
    this.childNodes = [this.ownerDocument.createTextNode(text)];
  }

  /** As the text of a page, without what a picture with one label needs not: labels of its parts, Plot's own style sheet. */
  toMarkup(): string {
    if (this.name === '#text') return escapeHtml(this.text);
    if (this.name === 'style') return '';
    const kept = [...this.attributes].filter(([name]) => !name.startsWith('aria-') && name !== 'class');
    const attributes = kept.map(([name, value]) => ` ${name}="${escapeHtml(value)}"`).join('');
    const rules = [...this.rules].map(([name, value]) => `${name}:${escapeHtml(value)}`).join(';');
    const children = this.childNodes.map((child) => child.toMarkup()).join('');
    return `<${this.name}${attributes}${rules && ` style="${rules}"`}>${children}</${this.name}>`;
  }
}

const HTML = 'http://www.w3.org/1999/xhtml';

/** A document to draw one picture into. */
export class SvgDocument {
  readonly documentElement = new SvgNode(this, 'html', HTML);

  createElement(name: string): SvgNode {
    return new SvgNode(this, name, HTML);
  }

  createElementNS(namespace: string, name: string): SvgNode {
    return new SvgNode(this, name, namespace);
  }

  createTextNode(text: unknown): SvgNode {
    return new SvgNode(this, '#text', '', String(text));
  }
}

/** What was drawn, as text. */
export function svgText(drawn: unknown): string {
  return (drawn as SvgNode).toMarkup();
}
