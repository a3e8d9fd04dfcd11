/** Playback: moves ``state.frame``, by the video's own clock if there is a video, otherwise by the computer's. */
export class Player {
  #clip;
  #state;
  #video = null;
  #time = 0;
  #wanted = null;

  constructor(clip, state) {
    this.#clip = clip;
    this.#state = state;
    state.watch(["speed"], ({ speed }) => this.#video && (this.#video.playbackRate = speed));
  }

  /** Play along with this video from now on; null = without one. */
  attach(video) {
    this.pause();
    this.#video = video;
    if (!video) return;
    video.onended = () => this.#end();
    video.onpause = () => !video.ended && this.pause();
    video.onseeked = () => this.#continueSeeking();
    video.playbackRate = this.#state.get("speed");
    this.seekFrame(this.#state.get("frame"));
  }

  toggle() {
    if (this.#state.get("playing")) this.pause();
    else this.play();
  }

  play() {
    if (this.#state.get("frame") >= this.#clip.last) this.seekFrame(0);
    this.#state.set({ playing: true });
    this.#start();
  }

  pause() {
    this.#state.set({ playing: false });
    if (this.#video && !this.#video.paused) this.#video.pause();
  }

  seek(time) {
    this.seekFrame(this.#clip.frameAt(Math.min(Math.max(time, 0), this.#clip.duration)));
  }

  seekFrame(index) {
    const frame = Math.min(Math.max(index, 0), this.#clip.last);
    this.#time = this.#clip.times[frame] ?? 0;
    this.#state.set({ frame });
    if (this.#video) {
      this.#wanted = this.#clip.insideOf(frame);
      this.#continueSeeking();
    }
  }

  step(frames) {
    this.pause();
    this.seekFrame(this.#state.get("frame") + frames);
  }

  /** Seek in the video, one place at a time: while somebody drags, only the latest place counts. */
  #continueSeeking() {
    if (this.#wanted === null || this.#video.seeking) return;
    this.#video.currentTime = this.#wanted;
    this.#wanted = null;
  }

  #start() {
    if (!this.#video) this.#playAlone();
    else {
      this.#video.play().catch(() => this.pause());
      this.#playAlong(this.#video);
    }
  }

  #playAlone() {
    let before = performance.now();
    const tick = (now) => {
      if (!this.#state.get("playing") || this.#video) return;
      this.#time += ((now - before) / 1000) * this.#state.get("speed");
      before = now;
      this.#state.set({ frame: this.#clip.frameAt(this.#time) });
      if (this.#time >= this.#clip.duration) this.#end();
      else requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  /** Show the frame that the video shows: exactly, where the browser tells which one that is. */
  #playAlong(video) {
    const exact = "requestVideoFrameCallback" in video;
    const next = () => (exact ? video.requestVideoFrameCallback(shown) : requestAnimationFrame(shown));
    const shown = (_, picture) => {
      if (!this.#state.get("playing") || this.#video !== video) return;
      if (!video.seeking) this.#state.set({ frame: this.#clip.frameAt(picture?.mediaTime ?? video.currentTime) });
      next();
    };
    next();
  }

  #end() {
    if (!this.#state.get("playing")) return;
    if (this.#state.get("loop")) {
      this.seekFrame(0);
      this.#start();
    } else {
      this.#state.set({ playing: false, frame: this.#clip.last });
    }
  }
}
