// The pages of the console, in the order of the navigation. A page is a file of src/pages/ with a default export; it is
// fetched when it is opened for the first time.
import {
  ApartmentOutlined,
  DashboardOutlined,
  TeamOutlined,
  PlaySquareOutlined,
  RocketOutlined,
  VideoCameraOutlined,
  ApiOutlined,
  HistoryOutlined,
  QuestionCircleOutlined,
  DiffOutlined,
  SettingOutlined,
} from '@ant-design/icons';
import { lazy, type ComponentType, type LazyExoticComponent, type ReactNode } from 'react';

import type { Role } from './api/types';
import { texts } from './lib/texts';

export const pageTitles = texts({
  dashboard: ['Dashboard', '概览'],
  welcome: ['First steps', '快速开始'],
  live: ['Live', '实时视频'],
  people: ['People', '人员'],
  groups: ['Groups', '分组'],
  devices: ['Devices', '设备'],
  records: ['Records', '通行记录'],
  strangers: ['Strangers', '陌生人'],
  compare: ['Compare', '比对'],
  settings: ['Settings', '设置'],
  api: ['API', '接口'],
});

export interface Page {
  /** Behind the "#"; what follows it ("/people/10086") belongs to the page, too. */
  path: string;
  title: keyof typeof pageTitles;
  icon: ReactNode;
  /** Least role that has any use for it. */
  role: Role;
  component: LazyExoticComponent<ComponentType>;
  /** Not in the navigation: reached from other pages. */
  hidden?: boolean;
}

export const pages: Page[] = [
  { path: '/', title: 'dashboard', icon: <DashboardOutlined />, role: 'viewer', component: lazy(() => import('./pages/Dashboard')) },
  { path: '/welcome', title: 'welcome', icon: <RocketOutlined />, role: 'admin', hidden: true, component: lazy(() => import('./pages/Welcome')) },
  { path: '/live', title: 'live', icon: <PlaySquareOutlined />, role: 'viewer', component: lazy(() => import('./pages/Live')) },
  { path: '/people', title: 'people', icon: <TeamOutlined />, role: 'viewer', component: lazy(() => import('./pages/People')) },
  { path: '/groups', title: 'groups', icon: <ApartmentOutlined />, role: 'viewer', component: lazy(() => import('./pages/Groups')) },
  { path: '/devices', title: 'devices', icon: <VideoCameraOutlined />, role: 'viewer', component: lazy(() => import('./pages/Devices')) },
  { path: '/records', title: 'records', icon: <HistoryOutlined />, role: 'viewer', component: lazy(() => import('./pages/Records')) },
  { path: '/strangers', title: 'strangers', icon: <QuestionCircleOutlined />, role: 'viewer', component: lazy(() => import('./pages/Strangers')) },
  { path: '/compare', title: 'compare', icon: <DiffOutlined />, role: 'operator', component: lazy(() => import('./pages/Compare')) },
  { path: '/settings', title: 'settings', icon: <SettingOutlined />, role: 'admin', component: lazy(() => import('./pages/Settings')) },
  { path: '/api', title: 'api', icon: <ApiOutlined />, role: 'viewer', component: lazy(() => import('./pages/Api')) },
];

/** Full-screen pages with an address of their own, without navigation. */
export const screens: Record<string, { component: LazyExoticComponent<ComponentType>; /** Behind the log-in. */ session: boolean }> = {
  '/pad': { component: lazy(() => import('./screens/Pad')), session: false },
  '/greeter': { component: lazy(() => import('./screens/Greeter')), session: true },
};

export function pageOf(path: string): Page | undefined {
  const exact = pages.find((page) => page.path === path);
  return exact ?? pages.find((page) => page.path !== '/' && path.startsWith(`${page.path}/`));
}
