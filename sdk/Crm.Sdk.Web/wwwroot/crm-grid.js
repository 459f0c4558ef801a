// What lists need of the browser to have cells edited in place: which cell is meant, the keys of a grid, and what was typed
// last. Only cells with data-cell can be edited.
import { typedIn, helpTyping } from './crm-forms.js';

// A click opens the record, a double click edits the cell: the first one waits this long for a second.
const pause = 250;

const isTyping = element => element instanceof HTMLElement && (element.isContentEditable || element.matches('textarea, select, input:not([type="checkbox"]):not([type="radio"]):not([type="button"])'));

class Grid {
  constructor(root, owner) {
    Object.assign(this, { root, owner, timer: 0 });
    this.listeners = [
      [root, 'click', e => this.click(e)],
      [root, 'dblclick', e => this.doubleClick(e)],
      [root, 'mousedown', e => this.press(e)],
      [root, 'click', e => this.release(e), true],
      [root, 'keydown', e => (e.target.closest('.cell-editor') ? this.editorKey(e) : this.cellKey(e))],
      [root, 'input', e => this.typed(e)],
      [root, 'change', e => this.typed(e)],
      [root, 'focusin', e => { this.focused = e.target; this.row = e.target.closest('tr[data-row]')?.rowIndex; }],
      [document, 'pointerdown', e => this.pressed(e), true],
      [document, 'keydown', e => this.undoKey(e)],
    ];
    this.listeners.forEach(([target, name, handler, capture]) => target.addEventListener(name, handler, capture ?? false));
    root.dataset.ready = '';
  }

  get editor() { return this.root.querySelector('.cell-editor'); }

  edit(cell) {
    clearTimeout(this.timer);
    this.owner.invokeMethodAsync('Edit', cell.closest('tr').dataset.row, cell.dataset.cell);
  }

  // What the keys and inputs did before goes to the server first.
  tell(name) {
    setTimeout(() => {
      const editor = this.editor;
      if (editor) this.owner.invokeMethodAsync('Key', name, typedIn(editor));
    });
  }

  click(e) {
    const cell = e.target.closest('td[data-cell]');
    if (!cell || e.button || e.ctrlKey || e.metaKey || e.shiftKey || String(getSelection()) || e.target.closest('.cell-editor, a, button, input, label')) return;
    // A finger has no double click: it opens the record, whose menu in the list has a command for editing.
    if (e.pointerType === 'touch') return;
    e.preventDefault();
    clearTimeout(this.timer);
    if (e.clientX > cell.getBoundingClientRect().right - 30) {
      this.edit(cell);
    } else if (e.detail < 2) {
      const link = cell.closest('tr').querySelector('a[data-open]');
      this.timer = setTimeout(() => link?.click(), pause);
    }
  }

  // Leaving an input checks it, and what it says moves the buttons below it. So a button takes the focus when it is let go, not when it is pressed: it is still where it was.
  press(e) {
    if (e.target.closest('.cell-editor button')) e.preventDefault();
  }

  release(e) {
    e.target.closest('.cell-editor button')?.focus();
  }

  doubleClick(e) {
    const cell = e.target.closest('td[data-cell]');
    if (!cell || e.target.closest('.cell-editor, a, button, input, label')) return;
    getSelection().removeAllRanges();
    this.edit(cell);
  }

  cellKey(e) {
    const row = e.target.closest('tr[data-row]');
    const cell = e.target.closest('td[data-label]');
    if (!row || !cell || e.altKey || e.ctrlKey || e.metaKey || e.target.closest('.menu')) return;
    const cells = [...row.querySelectorAll('td[data-label]')];
    const at = cells.indexOf(cell);
    const onCell = e.target === cell;
    if (e.key === 'F2' || (e.key === 'Enter' && onCell)) {
      e.preventDefault();
      if (cell.dataset.cell !== undefined) this.edit(cell);
      else if (onCell) row.querySelector('a[data-open]')?.click();
    } else if (e.key === 'ArrowLeft' || e.key === 'ArrowRight') {
      e.preventDefault();
      this.stand(cells[at + (e.key === 'ArrowLeft' ? -1 : 1)]);
    } else if (onCell && (e.key === 'ArrowUp' || e.key === 'ArrowDown')) {
      e.preventDefault();
      const rows = [...this.root.querySelectorAll('tr[data-row]')];
      const next = rows[rows.indexOf(row) + (e.key === 'ArrowUp' ? -1 : 1)];
      this.stand(next?.querySelectorAll('td[data-label]')[at]);
    }
  }

  stand(cell) { (cell?.querySelector('a[data-open]') ?? cell)?.focus(); }

  editorKey(e) {
    if (e.isComposing) return;
    const isOpen = e.target.getAttribute('aria-expanded') === 'true';
    if (e.key === 'Enter') {
      if (e.shiftKey && e.target.matches('textarea')) return;
      if (e.target.matches('a, button') || (isOpen && e.target.getAttribute('aria-activedescendant')) || (e.target.dataset.tags !== undefined && e.target.value.trim())) return;
      e.preventDefault();
      if (!isOpen) this.tell('save');
    } else if (e.key === 'Tab') {
      const stops = [...this.editor.querySelectorAll('.field :is(input:not([type=hidden]), select, textarea):not([tabindex="-1"])')];
      if (e.target !== stops.at(e.shiftKey ? 0 : -1)) return;
      e.preventDefault();
      this.tell(e.shiftKey ? 'previous' : 'next');
    } else if (e.key === 'Escape' && !isOpen) {
      e.preventDefault();
      this.tell('cancel');
    }
  }

  typed(e) {
    if (e.target.closest('.cell-editor')) helpTyping(e);
  }

  // Whoever goes on elsewhere means to keep what was typed.
  pressed(e) {
    this.focused = null;
    if (this.editor && !this.editor.contains(e.target) && !e.target.closest?.('dialog, .toasts, .rz-popup, .rz-colorpicker-popup')) this.tell('leave');
  }

  undoKey(e) {
    if (!(e.ctrlKey || e.metaKey) || e.shiftKey || e.altKey || e.key.toLowerCase() !== 'z' || isTyping(document.activeElement) || document.querySelector('dialog[open]')) return;
    e.preventDefault();
    this.owner.invokeMethodAsync('Undo');
  }

  // ---- called from .NET ----

  focusEditor() {
    const input = this.editor?.querySelector('.field :is(input:not([type=hidden]), select, textarea, button, [tabindex="0"]):not([tabindex="-1"])');
    input?.focus();
    if (input?.matches('input[type=text], input[type=tel]')) input.select();
    this.editor?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  focusCell(id, path) {
    const row = this.root.querySelector(`tr[data-row="${CSS.escape(id)}"]`);
    this.stand(row?.querySelector(`td[data-cell="${CSS.escape(path)}"]`));
  }

  // Rows came, went or moved because of others. A row that moved loses the focus; where one went, the next one takes it.
  follow() {
    window.crm.recount(this.root, true);
    if (document.activeElement !== document.body || !this.focused) return;
    if (this.focused.isConnected) {
      this.focused.focus({ preventScroll: true });
    } else if (this.row) {
      const rows = [...this.root.querySelectorAll('tr[data-row]')];
      rows[Math.min(this.row, rows.length) - 1]?.querySelector('a[data-open]')?.focus({ preventScroll: true });
    }
  }

  dispose() {
    clearTimeout(this.timer);
    this.listeners.forEach(([target, name, handler, capture]) => target.removeEventListener(name, handler, capture ?? false));
  }
}

export const attach = (root, owner) => new Grid(root, owner);
