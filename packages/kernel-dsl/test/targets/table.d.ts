/** The page. */
export declare const targetsPage: () => string;
