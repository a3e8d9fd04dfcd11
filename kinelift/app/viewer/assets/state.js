/** What the user has chosen, in one place. Parts of the page watch the values that they show. */
export class State {
  #watchers = [];

  constructor(values) {
    this.values = values;
  }

  get(name) {
    return this.values[name];
  }

  /** Change values, then tell those who watch one that is different now. */
  set(changes) {
    const changed = Object.keys(changes).filter((name) => this.values[name] !== changes[name]);
    Object.assign(this.values, changes);
    for (const { names, tell } of this.#watchers) {
      if (names.some((name) => changed.includes(name))) tell(this.values);
    }
  }

  toggle(name) {
    this.set({ [name]: !this.values[name] });
  }

  /** Call ``tell`` now, and whenever one of these values has changed. */
  watch(names, tell) {
    this.#watchers.push({ names, tell });
    tell(this.values);
  }
}
