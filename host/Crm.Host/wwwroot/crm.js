// What has to happen in the browser itself: menus, dialogs, keys, the drawer, reconnecting.
// No page needs more script than this file; the policy of the site forbids inline script.
(() => {
  'use strict';

  const root = document.documentElement;
  const stored = { read: key => { try { return localStorage.getItem(key); } catch { return null; } }, write: (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode: the choice lasts for this page */ } } };

  if (stored.read('crm.nav') === 'narrow') {
    root.dataset.nav = 'narrow';
  }

  // ---- navigation ----

  const drawer = open => {
    const nav = document.getElementById('nav');
    if (!nav || open === (root.dataset.drawer === 'open')) {
      return;
    }

    if (open) {
      root.dataset.drawer = 'open';
      (nav.querySelector('a, button'))?.focus();
    } else {
      delete root.dataset.drawer;
      document.getElementById('drawer-button')?.focus();
    }

    document.getElementById('drawer-button')?.setAttribute('aria-expanded', String(open));
  };

  document.addEventListener('click', event => {
    const target = event.target instanceof Element ? event.target : null;
    const action = target?.closest('[data-action]')?.dataset.action;
    if (action === 'drawer') {
      drawer(root.dataset.drawer !== 'open');
    } else if (action === 'nav-width') {
      const narrow = root.dataset.nav !== 'narrow';
      if (narrow) { root.dataset.nav = 'narrow'; } else { delete root.dataset.nav; }
      stored.write('crm.nav', narrow ? 'narrow' : 'wide');
    } else if (action === 'reload') {
      location.reload();
    } else if (action === 'reconnect') {
      window.Blazor?.reconnect();
    } else if (action === 'skip') {
      event.preventDefault();
      document.getElementById('content')?.focus();
    } else if (target?.closest('#nav a')) {
      drawer(false);
    }

    // A choice made closes its menu.
    target?.closest('.menu .menu-item')?.closest('.menu')?.hidePopover();

    // Cards have no boxes to tick.
    if (target?.closest('[data-tick]')) {
      target.closest('tr[data-row]')?.querySelector('input[data-select]')?.click();
    }

    const matching = target?.closest('[data-select-matching]');
    if (matching) {
      selectMatching(matching);
    }

    rowClick(event, target);
  });

  // ---- menus ----

  document.addEventListener('toggle', event => {
    const menu = event.target;
    if (!(menu instanceof HTMLElement) || !menu.classList.contains('menu')) {
      return;
    }

    const button = document.querySelector(`[popovertarget="${menu.id}"]`);
    button?.setAttribute('aria-expanded', String(event.newState === 'open'));
    if (event.newState !== 'open' || !button) {
      return;
    }

    const at = button.getBoundingClientRect();
    const size = menu.getBoundingClientRect();
    const left = menu.dataset.align === 'end' ? at.right - size.width : at.left;
    const below = at.bottom + 4;
    menu.style.left = `${Math.max(8, Math.min(left, innerWidth - size.width - 8))}px`;
    menu.style.top = `${below + size.height > innerHeight - 8 ? Math.max(8, at.top - size.height - 4) : below}px`;
    menu.querySelector('[aria-checked="true"], .menu-item')?.focus();
  }, true);

  const inMenu = (event, menu) => {
    const items = [...menu.querySelectorAll('.menu-item:not(:disabled)')];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined && items.length > 0) {
      event.preventDefault();
      items[(to + items.length) % items.length].focus();
    }
  };

  // ---- lists ----

  // A click anywhere in a row opens the record, except on what does something else, and not while text is being selected.
  const rowClick = (event, target) => {
    const row = target?.closest('tr[data-row]');
    if (!row || event.defaultPrevented || event.button !== 0 || target.closest('a, button, input, label, .menu, .cell-editor') || String(getSelection()) !== '') {
      return;
    }

    const link = row.querySelector('a[data-open]');
    if (event.ctrlKey || event.metaKey) {
      window.open(link.href, '_blank', 'noopener');
    } else {
      link?.click();
    }
  };

  const moveInRows = (event, table, step) => {
    const rows = [...table.querySelectorAll('tr[data-row]')];
    const at = rows.indexOf(document.activeElement?.closest('tr[data-row]'));
    const to = step === 'first' ? 0 : step === 'last' ? rows.length - 1 : at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + step));
    rows[to]?.querySelector('a[data-open]')?.focus();
    event.preventDefault();
  };

  const selectedRows = table => [...table.querySelectorAll('tr[data-row]:has(input[data-select]:checked)')];

  document.addEventListener('change', event => {
    const box = event.target;
    const grid = box instanceof HTMLInputElement ? box.closest('[data-grid]') : null;
    if (!grid || !(box.matches('[data-select], [data-select-all]'))) {
      return;
    }

    if (box.matches('[data-select-all]')) {
      grid.querySelectorAll('input[data-select]').forEach(each => { each.checked = box.checked; });
    }

    countSelected(grid);
  });

  // Everything the list finds is chosen until a box is changed by hand or the list shows something else.
  const selectMatching = button => {
    const grid = button.closest('[data-grid]');
    grid.querySelectorAll('input[data-select]').forEach(each => { each.checked = true; });
    countSelected(grid);
    grid.dataset.matching = button.dataset.selectMatching;
    grid.querySelectorAll('[data-selected-count]').forEach(each => { each.textContent = button.dataset.countText; });
  };

  const countSelected = grid => {
    delete grid.dataset.matching;
    const count = selectedRows(grid).length;
    const all = grid.querySelector('[data-select-all]');
    if (all) {
      all.checked = count > 0 && count === grid.querySelectorAll('tr[data-row]').length;
      all.indeterminate = count > 0 && !all.checked;
    }

    grid.querySelectorAll('[data-selected-count]').forEach(each => { each.textContent = String(count); });
    grid.toggleAttribute('data-selecting', count > 0);
  };

  // ---- keys ----

  const typing = element => element instanceof HTMLElement && (element.isContentEditable || element.matches('textarea, select, input:not([type="checkbox"]):not([type="radio"]):not([type="button"])'));

  document.addEventListener('keydown', event => {
    const focused = document.activeElement;
    const menu = focused?.closest?.('.menu');
    if (menu) {
      inMenu(event, menu);
      return;
    }

    if (event.key === 'Escape' && root.dataset.drawer === 'open') {
      drawer(false);
      return;
    }

    if (event.defaultPrevented || event.altKey || document.querySelector('dialog[open]')) {
      return;
    }

    const shortcut = document.querySelector(`[data-shortcut="${CSS.escape((event.ctrlKey || event.metaKey ? 'ctrl+' : '') + event.key.toLowerCase())}"]`);
    if (shortcut && (event.ctrlKey || event.metaKey || !typing(focused))) {
      event.preventDefault();
      if (typing(shortcut)) {
        shortcut.focus();
        shortcut.select?.();
      } else {
        // What was typed last must be known to the server before the command runs.
        if (typing(focused)) { focused.blur(); focused.focus(); }
        shortcut.click();
      }

      return;
    }

    const table = document.querySelector('[data-grid]');
    if (!table || event.ctrlKey || event.metaKey) {
      return;
    }

    const inSearch = focused?.matches?.('[data-grid-search]');
    if (typing(focused) && !(inSearch && event.key === 'ArrowDown')) {
      return;
    }

    const steps = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 };
    const inRows = !focused || focused === document.body || inSearch || focused.closest('[data-grid] tbody') || focused.matches('h1, main');
    if (event.key in steps && inRows) {
      moveInRows(event, table, steps[event.key]);
    } else if (event.key === 'x' && focused?.closest('tr[data-row]')) {
      focused.closest('tr[data-row]').querySelector('input[data-select]')?.click();
    } else if ((event.key === 'Home' || event.key === 'End') && focused?.closest('tr[data-row]')) {
      moveInRows(event, table, event.key === 'Home' ? 'first' : 'last');
    }
  });

  // ---- reconnecting ----

  // Reconnecting is retried for as long as the page is open. A circuit the server no longer has cannot come back: the page
  // loads again, and forms offer back what was typed into them.
  const watchReconnect = () => {
    const modal = document.getElementById('components-reconnect-modal');
    if (!modal) {
      return;
    }

    let timer;
    new MutationObserver(() => {
      clearTimeout(timer);
      const failed = modal.classList.contains('components-reconnect-failed');
      if (modal.classList.contains('components-reconnect-rejected')) {
        timer = setTimeout(() => location.reload(), 300);
      } else if (failed) {
        timer = setTimeout(() => window.Blazor?.reconnect(), 3000);
      }
    }).observe(modal, { attributes: true, attributeFilter: ['class'] });
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && modal.classList.contains('components-reconnect-failed')) {
        window.Blazor?.reconnect();
      }
    });
  };

  // ---- called from .NET ----

  window.crm = {
    /** What the server cannot know: where the user is. */
    start: () => ({ timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone, area: stored.read('crm.area') }),
    rememberArea: name => stored.write('crm.area', name),
    showDialog: dialog => {
      if (!dialog || dialog.open) { return; }
      // Escape closes what is open in the dialog before the dialog.
      dialog.addEventListener('cancel', e => { if (dialog.querySelector('[aria-expanded="true"][data-popup]')) { e.preventDefault(); } });
      dialog.showModal();
    },
    closeDialog: dialog => { if (dialog?.open) { dialog.close(); } },
    focus: element => element?.focus(),
    blur: element => element?.blur(),
    /** Where somebody has put the focus already, it stays. */
    focusHeading: () => { if (document.activeElement === document.body) { document.querySelector('h1')?.focus({ preventScroll: true }); } },
    caret: (area, at) => { area.focus(); area.setSelectionRange(at, at); },
    reveal: id => document.getElementById(id)?.scrollIntoView({ block: 'nearest' }),
    /** Types a text where the caret was, and goes on at a place in it. */
    insertText: (area, text, caret) => {
      const from = area.selectionStart;
      const gap = /[\w)"'.]$/.test(area.value.slice(0, from)) ? ' ' : '';
      area.focus();
      area.setRangeText(gap + text, from, area.selectionEnd, 'end');
      area.setSelectionRange(from + gap.length + caret, from + gap.length + caret);
      area.dispatchEvent(new Event('input', { bubbles: true }));
      area.dispatchEvent(new Event('change', { bubbles: true }));
    },
    selected: grid => ({ all: grid.dataset.matching !== undefined, ids: selectedRows(grid).map(row => row.dataset.row) }),
    /** Counts what is ticked; when everything the list finds was chosen, that may stay so. */
    recount: (grid, keepsAll) => {
      if (keepsAll && grid.dataset.matching !== undefined) {
        grid.querySelectorAll('[data-select]').forEach(each => { each.checked = true; });
      } else if (grid) {
        countSelected(grid);
      }
    },
    clearSelection: grid => { grid.querySelectorAll('[data-select], [data-select-all]').forEach(each => { each.checked = false; }); countSelected(grid); },
  };

  watchReconnect();
})();
