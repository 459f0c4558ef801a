// What forms need of the browser: keyboard shortcuts, and a draft of what was typed that survives a lost connection
// and a restarted host. The page itself is the truth: the server writes into each field what it started from
// (data-start) and what it knows (data-known); whatever the inputs hold beyond that was typed.
const forms = new Set();

const inputsOf = field => [...field.querySelectorAll('[data-part]')].filter(i => i.closest('[data-field]') === field);

function partsOf(field) {
  const parts = {};
  for (const input of inputsOf(field)) {
    const part = input.dataset.part;
    if (input.dataset.choice !== undefined) {
      parts[part] ??= '';
      if (input.checked) parts[part] += (parts[part] ? ';' : '') + input.dataset.choice;
    } else if (input.type === 'checkbox') {
      parts[part] = input.checked ? 'true' : 'false';
    } else {
      parts[part] = input.value;
    }
  }
  return parts;
}

function differs(parts, json, field) {
  const known = json ? JSON.parse(json) : {};
  return Object.keys(parts).some(part => {
    const text = known[part] ?? '';
    return field.dataset.kind === 'yes_no' ? (parts[part] === 'true') !== (text === 'true') : parts[part] !== text;
  });
}

function typed(root, attribute) {
  const fields = {};
  for (const field of root.querySelectorAll('[data-field]')) {
    const parts = partsOf(field);
    if (Object.keys(parts).length && differs(parts, field.dataset[attribute], field)) fields[field.dataset.field] = parts;
  }
  return fields;
}

export function isDisconnected() {
  const dialog = document.getElementById('components-reconnect-modal');
  return !!dialog && (dialog.open === true || /components-reconnect-(show|failed|rejected|retrying|paused)/.test(dialog.className));
}

const storageKey = form => 'crm-draft:' + form.key;

function store(form) {
  const fields = typed(form.root, 'start');
  if (Object.keys(fields).length) {
    sessionStorage.setItem(storageKey(form), JSON.stringify({ version: form.version, fields }));
  } else {
    sessionStorage.removeItem(storageKey(form));
  }
}

function separateTime(input) {
  const digits = input.value;
  if (/^\d{4}$/.test(digits)) input.value = digits.slice(0, 2) + ':' + digits.slice(2);
}

// A tag ends with a comma; the input is emptied here at once, so that nothing typed meanwhile is lost.
function endTag(input) {
  if (!/[,;]/.test(input.value)) return;
  input.dispatchEvent(new Event('change', { bubbles: true }));
  // Who listens has read it by now; emptied later, a key pressed meanwhile would take it a second time.
  input.value = '';
}

function takeTag(input) {
  const taken = input.value;
  setTimeout(() => { if (input.value.startsWith(taken)) input.value = input.value.slice(taken.length); });
}

// What inputs do while they are typed into, in forms and in the cells of lists.
export function helpTyping(e) {
  if (e.target.dataset?.time !== undefined && e.inputType?.startsWith('insert')) separateTime(e.target);
  if (e.target.dataset?.tags !== undefined) (e.type === 'change' ? takeTag : endTag)(e.target);
}

// What the inputs hold and the server does not know yet.
export const typedIn = root => typed(root, 'known');

class Form {
  constructor(root, owner, key, version) {
    Object.assign(this, { root, owner, key, version });
    this.onInput = e => {
      helpTyping(e);
      store(this);
    };
    this.onKey = e => this.shortcut(e);
    this.onUnload = e => {
      // Without a connection the page reloads by itself; the draft brings everything back.
      if (Object.keys(typed(this.root, 'start')).length && !isDisconnected()) e.preventDefault();
    };
    root.addEventListener('input', this.onInput);
    root.addEventListener('change', this.onInput);
    document.addEventListener('keydown', this.onKey);
    window.addEventListener('beforeunload', this.onUnload);
    forms.add(this);
  }

  shortcut(e) {
    const command = e.ctrlKey || e.metaKey;
    let name = null;
    if (command && !e.altKey && e.key.toLowerCase() === 's') name = 'save';
    else if (command && e.key === 'Enter') name = e.shiftKey ? 'save-new' : 'save-close';
    else if (e.key === 'Escape' && !e.defaultPrevented && !document.querySelector('dialog[open], [aria-expanded="true"][data-popup]')) name = 'back';
    if (!name) return;
    if (name !== 'back') e.preventDefault();
    if (document.querySelector('dialog[open]')) return;
    this.owner.invokeMethodAsync('Shortcut', name);
  }

  restart(version) { this.version = version; store(this); }
  collect() { return typedIn(this.root); }
  clear() { sessionStorage.removeItem(storageKey(this)); }

  read() {
    const json = sessionStorage.getItem(storageKey(this));
    return json ? JSON.parse(json) : null;
  }

  focus(name) {
    const field = this.root.querySelector(`[data-field="${CSS.escape(name)}"]`);
    const input = field?.querySelector('input:not([type=hidden]):not([tabindex="-1"]), select, textarea, button');
    input?.focus();
    field?.scrollIntoView({ block: 'center' });
  }

  focusFirst() {
    const input = this.root.querySelector('[data-field] input:not([type=hidden]):not([tabindex="-1"]), [data-field] select, [data-field] textarea');
    input?.focus();
  }

  dispose() {
    this.root.removeEventListener('input', this.onInput);
    this.root.removeEventListener('change', this.onInput);
    document.removeEventListener('keydown', this.onKey);
    window.removeEventListener('beforeunload', this.onUnload);
    forms.delete(this);
  }
}

export const attach = (root, owner, key, version) => new Form(root, owner, key, version);

// Sends the chosen file; the answer is its value. Nothing chosen gives an empty text, a refusal gives null.
export async function upload(input, megabytes) {
  const file = input.files[0];
  if (!file) return '';
  if (file.size > megabytes * 1024 * 1024) { input.value = ''; return null; }
  try {
    const answer = await fetch('/api/files?name=' + encodeURIComponent(file.name), {
      method: 'POST', body: file, headers: { 'Content-Type': file.type || 'application/octet-stream', 'X-Requested-With': 'fetch' },
    });
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  } finally {
    input.value = '';
  }
}

// Gives inputs outside of forms the same help.
export function help(root) {
  root.addEventListener('input', helpTyping);
  root.addEventListener('change', helpTyping);
}

export function pickDate(input) {
  if (typeof input.showPicker === 'function') input.showPicker();
  else input.focus();
}
