/** The place of one request among those of its connection. */
interface Place {
  /** What to do when its turn comes; undefined while its body is arriving. */
  act: (() => void) | undefined;
  gone: boolean;
}

/**
 * Puts of one connection in the order in which they arrived. Over HTTP/2 a later request may be complete before an earlier one;
 * it waits, so that records of a key keep the order in which the client sent them.
 */
export class Arrivals {
  #places: Place[] = [];

  enter(): { readonly ready: (act: () => void) => void; readonly leave: () => void } {
    const place: Place = { act: undefined, gone: false };
    this.#places.push(place);
    return {
      ready: (act) => {
        place.act = act;
        this.#advance();
      },
      // The request ended before it was complete.
      leave: () => {
        if (place.act !== undefined) return;
        place.gone = true;
        this.#advance();
      },
    };
  }

  #advance(): void {
    for (let first = this.#places[0]; first !== undefined; first = this.#places[0]) {
      if (first.act === undefined && !first.gone) return;
      this.#places.shift();
      if (!first.gone) first.act?.();
    }
  }
}
