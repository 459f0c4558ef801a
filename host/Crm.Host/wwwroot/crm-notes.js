// What notes need of the browser: a draft of what was typed and not saved, which survives a lost connection and a
// restarted host. What the server has not heard of is what a field holds beyond what it started with (data-start).
import { isDisconnected } from './_content/Crm.Sdk.Web/crm-forms.js';

const storageKey = panel => 'crm-notes:' + panel.name;
const isTyped = area => area.value !== area.dataset.start.replace(/\r\n?/g, '\n');

class Panel {
  constructor(root, name) {
    Object.assign(this, { root, name });
    this.onInput = e => {
      if (e.target.dataset?.note) this.keep(e.target);
    };
    this.onKey = e => {
      if (!e.target.dataset?.note) return;
      const saves = (e.ctrlKey || e.metaKey) && (e.key === 'Enter' || e.key.toLowerCase() === 's');
      if (!saves && e.key !== 'Escape') return;
      // Saving is leaving; the record's own form is not meant.
      e.preventDefault();
      e.stopPropagation();
      this.leave(e.target, saves);
    };
    this.onUnload = e => {
      if (this.areas().some(isTyped) && !isDisconnected()) e.preventDefault();
    };
    // Left while there was no connection, a field tells the server once there is one. What is back says so by a class (decision 4).
    this.modal = document.getElementById('components-reconnect-modal');
    this.reconnected = new MutationObserver(() => {
      if (!this.modal.classList.contains('components-reconnect-hide')) return;
      for (const area of this.areas().filter(isTyped)) {
        if (area !== document.activeElement) area.dispatchEvent(new Event('change', { bubbles: true }));
      }
    });
    this.added = new MutationObserver(() => {
      const opened = root.querySelector('textarea[data-focus]:not([data-seen])');
      if (!opened) return;
      opened.dataset.seen = '';
      opened.focus();
      opened.setSelectionRange(opened.value.length, opened.value.length);
    });
    root.addEventListener('input', this.onInput);
    root.addEventListener('keydown', this.onKey);
    window.addEventListener('beforeunload', this.onUnload);
    if (this.modal) this.reconnected.observe(this.modal, { attributes: true, attributeFilter: ['class'] });
    this.added.observe(root, { childList: true, subtree: true });
  }

  areas() { return [...this.root.querySelectorAll('textarea[data-note]')]; }

  keep(area) {
    const drafts = this.drafts();
    if (isTyped(area)) drafts[area.dataset.note] = { text: area.value, version: Number(area.dataset.version) };
    else delete drafts[area.dataset.note];
    this.store(drafts);
  }

  leave(area, saves) {
    const isNew = area.dataset.note === 'new';
    if (!saves) {
      // A new note stays as it is typed: nobody loses a page of text to one key.
      if (isNew) return;
      area.value = area.dataset.start;
      this.keep(area);
    }
    const edit = area.closest('li')?.querySelector('[data-edit]');
    area.blur();
    (isNew ? area : edit)?.focus();
  }

  drafts() {
    const json = sessionStorage.getItem(storageKey(this));
    return json ? JSON.parse(json) : {};
  }

  store(drafts) {
    if (Object.keys(drafts).length) sessionStorage.setItem(storageKey(this), JSON.stringify(drafts));
    else sessionStorage.removeItem(storageKey(this));
  }

  read() {
    const drafts = this.drafts();
    const area = this.root.querySelector('textarea[data-note="new"]');
    if (area && drafts.new && !area.value) area.value = drafts.new.text;
    return drafts;
  }

  // What was typed after the text that is saved now stays.
  forget(note, saved) {
    const drafts = this.drafts();
    delete drafts[note];
    this.store(drafts);
    const area = note === 'new' && this.root.querySelector('textarea[data-note="new"]');
    if (area && area.value.startsWith(saved)) {
      area.value = area.value.slice(saved.length);
      this.keep(area);
    }
  }

  dispose() {
    this.added.disconnect();
    this.root.removeEventListener('input', this.onInput);
    this.root.removeEventListener('keydown', this.onKey);
    window.removeEventListener('beforeunload', this.onUnload);
    this.reconnected.disconnect();
  }
}

export const attach = (root, name) => new Panel(root, name);
