(function () {
    'use strict';

    function add(target, name, value) {
        if (!target[name]) {
            Object.defineProperty(target, name, { value: value, writable: true, configurable: true });
        }
    }

    function position(list, test, self) {
        for (var i = 0; i < list.length; i++) {
            if (test.call(self, list[i], i, list)) {
                return i;
            }
        }

        return -1;
    }

    function same(a, b) {
        return a === b || (a !== a && b !== b);
    }

    function pad(text, length, filler) {
        var missing = Math.min(length, 10000) - text.length;
        filler = filler === undefined ? ' ' : String(filler);
        var added = '';
        while (filler !== '' && added.length < missing) {
            added += filler;
        }

        return added.slice(0, Math.max(missing, 0));
    }

    add(Array, 'of', function () { return Array.prototype.slice.call(arguments); });
    add(Array, 'from', function (list, map) {
        var made = Array.prototype.slice.call(typeof list === 'string' ? list.split('') : list);
        return map ? made.map(map) : made;
    });
    add(Array.prototype, 'find', function (test, self) {
        var i = position(this, test, self);
        return i < 0 ? undefined : this[i];
    });
    add(Array.prototype, 'findIndex', function (test, self) { return position(this, test, self); });
    add(Array.prototype, 'includes', function (value) {
        return position(this, function (one) { return same(one, value); }) >= 0;
    });
    add(Array.prototype, 'fill', function (value) {
        for (var i = 0; i < this.length; i++) {
            this[i] = value;
        }

        return this;
    });
    add(Object, 'assign', function (target) {
        for (var i = 1; i < arguments.length; i++) {
            for (var name in arguments[i]) {
                if (Object.prototype.hasOwnProperty.call(arguments[i], name)) {
                    target[name] = arguments[i][name];
                }
            }
        }

        return target;
    });
    add(Object, 'values', function (from) { return Object.keys(from).map(function (name) { return from[name]; }); });
    add(Object, 'entries', function (from) { return Object.keys(from).map(function (name) { return [name, from[name]]; }); });
    add(Number, 'isFinite', function (value) { return typeof value === 'number' && isFinite(value); });
    add(Number, 'isInteger', function (value) { return typeof value === 'number' && isFinite(value) && Math.floor(value) === value; });
    add(Number, 'isNaN', function (value) { return value !== value; });
    add(Math, 'trunc', function (value) { return value < 0 ? Math.ceil(value) : Math.floor(value); });
    add(Math, 'sign', function (value) { return value > 0 ? 1 : value < 0 ? -1 : Number(value); });
    add(String.prototype, 'includes', function (part, from) { return this.indexOf(part, from) >= 0; });
    add(String.prototype, 'startsWith', function (part, from) { return this.slice(from || 0, (from || 0) + String(part).length) === String(part); });
    add(String.prototype, 'endsWith', function (part) {
        part = String(part);
        return this.length >= part.length && this.slice(this.length - part.length) === part;
    });
    add(String.prototype, 'repeat', function (times) { return pad('', String(this).length * times, String(this)); });
    add(String.prototype, 'padStart', function (length, filler) { return pad(String(this), length, filler) + this; });
    add(String.prototype, 'padEnd', function (length, filler) { return this + pad(String(this), length, filler); });
    add(String.prototype, 'trimStart', function () { return this.replace(/^\s+/, ''); });
    add(String.prototype, 'trimEnd', function () { return this.replace(/\s+$/, ''); });

    // What one record leaves behind, the next one must not see: the engine is used again. Not so errors: their message is set by assignment.
    [Object, Function, Array, String, Number, Boolean, Date, RegExp].forEach(function (type) {
        Object.freeze(type.prototype);
        Object.freeze(type);
    });
    Object.freeze(Math);
    Object.freeze(JSON);

    return function (rule, record, before, user, now, changed) {
        var refused = [];
        rule(record, before, user, now, changed, function (field, message) {
            refused.push(arguments.length < 2 ? [null, String(field)] : [field === null || field === undefined ? null : String(field), String(message)]);
        });
        return refused;
    };
})
