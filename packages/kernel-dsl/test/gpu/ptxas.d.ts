export declare function ptxas(source: string): string;
