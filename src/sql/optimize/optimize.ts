/** Logical plan → `QueryPlan`: rewrite rules in a fixed order, then the cut into fragments. */
import type { FunctionContext } from '../../function/scalar.ts';
import type { Node, QueryPlan } from '../../plan/node.ts';
import type { BoundQuery } from '../bind-query.ts';
import { pruneColumns } from './columns.ts';
import { mergeProjects, pushFilters } from './filters.ts';
import { cutFragments, dropIdentities } from './fragments.ts';
import { pushLimits } from './limits.ts';

export function finishPlan(query: BoundQuery, subplans: readonly QueryPlan[], context: FunctionContext): QueryPlan {
  const logical = pruneColumns(pushLimits(mergeProjects(pushFilters(query.node, context))));
  const fragments = cutFragments(logical).map(fragment => dropIdentities(mergeProjects(fragment)));
  const leaves = fragments.flatMap(leavesOf);
  const tableIds = leaves.flatMap(leaf => (leaf.kind === 'scan' ? [leaf.tableId] : []));
  const systemTables = leaves.flatMap(leaf => (leaf.kind === 'inline' ? [leaf.name] : []));
  return {
    fragments,
    columns: query.columns,
    subplans,
    tableIds: distinct([...tableIds, ...subplans.flatMap(plan => plan.tableIds)]),
    systemTables: distinct([...systemTables, ...subplans.flatMap(plan => plan.systemTables)]),
  };
}

function leavesOf(node: Node): Node[] {
  return 'source' in node ? leavesOf(node.source) : [node];
}

const distinct = (names: readonly string[]): string[] => [...new Set(names)];
