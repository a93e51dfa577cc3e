import { Component, type ReactNode } from 'react';
import { Notice } from '../components/notice.tsx';

interface Props {
  readonly children: ReactNode;
}

/** Keeps an exception of one page to that page: the navigation stays. A bug; its cause is in the browser's console. */
export class PageBoundary extends Component<Props, { readonly error: Error | null }> {
  override state: { readonly error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    if (this.state.error) return <Notice>This page failed: {this.state.error.message}. Reload it to go on.</Notice>;
    return this.props.children;
  }
}
